// What the editors hold on a first visit. The query is valid against every schema.
export const firstQuery = `# Press Ctrl-Enter to run the query, Ctrl-Space to complete.
# The schema is behind the book icon on the left.
# Signed in? Put the access token into the Headers tab below.

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
