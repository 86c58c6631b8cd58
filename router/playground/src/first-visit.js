// What the editors hold on a first visit. The query is valid against every schema.
export const firstQuery = `# Run the query: Ctrl-Enter. Complete: Ctrl-Space.
# The schema is behind the icon at the top left.
# Signed in? Put your token into Headers below.

query WhatCanIAsk {
  __schema {
    queryType { fields { name description } }
    mutationType { fields { name description } }
  }
}
`

// A comment, so that the first request is anonymous rather than refused for a token that is not there.
export const firstHeaders = `{
  // "authorization": "Bearer ACCESS_TOKEN"
}
`
