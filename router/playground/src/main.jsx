// Mounts GraphiQL on the router's own endpoint.
import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './page.css'

import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createRoot } from 'react-dom/client'

import { firstHeaders, firstQuery } from './first-visit.js'

// The router writes its settings into the page as it serves it.
const settings = JSON.parse(document.getElementById('settings').textContent)
const fetcher = createGraphiQLFetcher({ url: settings.endpoint ?? '/graphql' })

createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={settings.defaultQuery ?? firstQuery}
    defaultHeaders={firstHeaders}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
  />,
)
