const { mkdirSync } = require('node:fs')

module.exports = ({ env }) => {
  mkdirSync(`${env('PUBLIC')}/uploads`, { recursive: true })
  return { host: '127.0.0.1', port: 0, app: { keys: ['for', 'the test'] }, logger: { updates: { enabled: false }, startup: { enabled: false } }, dirs: { public: env('PUBLIC') } }
}
