// What stands in the site's sidebar: every page of docs once, which the test holds.
export const sections = {
  "Start": ["overview", "start-react-vite", "start-vue", "start-svelte", "start-angular", "development", "layouts", "how-sessions-live"],
  "In your pages": ["client", "recipes", "sdks", "server-rendering", "errors", "http"],
  "Your API": ["mapping", "apis", "ways", "reaching"],
  "Providers": ["providers"],
  "Programs": ["programs", "webhooks"],
  "Running it": ["deploying", "operating", "redis", "scaling", "reliability", "upgrade"],
  "When something is wrong": ["troubleshooting", "runbook", "logs", "metrics", "tracing"],
  "Reference": ["configuration", "benchmarks", "changelog", "security"],
  "Coming from": ["migrate-oauth2-proxy", "migrate-duende"],
  "Contributing": ["life-of-a-call", "testing", "conformance"],
}
