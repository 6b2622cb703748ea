// A stand-in for actions/upload-artifact on the same client library. It keeps to
// the behaviour of v4 that callers can trip over: the folder layout inside the
// archive, hidden files left out, names that are taken, and what happens when
// there is nothing to upload. Patterns are refused instead of half supported.
'use strict'

const fs = require('fs')
const path = require('path')
const { DefaultArtifactClient } = require('@actions/artifact')

function input(name) {
  const value = process.env[`INPUT_${name.toUpperCase()}`]
  return (value || '').trim()
}

function flag(name) {
  const value = input(name).toLowerCase()
  if (!['', 'true', 'false'].includes(value)) throw new Error(`${name} must be true or false, not ${value}`)
  return value === 'true'
}

function number(name, fallback) {
  const value = input(name) || String(fallback)
  if (!/^\d+$/.test(value)) throw new Error(`${name} must be a number, not ${value}`)
  return Number(value)
}

// Line ends in a workflow command's text would end the command.
function say(level, message) {
  const text = String(message).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
  console.log(`::${level}::${text}`)
}

function output(name, value) {
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `${name}=${value}\n`)
}

// Every file under one entry. As in the real action, a hidden file or folder is
// skipped by its own name, not by those of the folders it was reached through.
function files(entry, hidden, found) {
  if (!hidden && path.basename(entry).startsWith('.')) return
  if (!fs.statSync(entry).isDirectory()) {
    found.push(entry)
    return
  }
  for (const child of fs.readdirSync(entry).sort()) files(path.join(entry, child), hidden, found)
}

// With one entry the archive starts below it, with several below the deepest
// folder that holds them all.
function rootOf(entries) {
  if (entries.length === 1) {
    return fs.statSync(entries[0]).isDirectory() ? entries[0] : path.dirname(entries[0])
  }
  const parts = entries.map(entry => entry.split(path.sep))
  let depth = 0
  while (parts.every(p => depth < p.length - 1 && p[depth] === parts[0][depth])) depth += 1
  return parts[0].slice(0, depth).join(path.sep) || path.sep
}

async function main() {
  const name = input('name') || 'artifact'
  const wanted = input('if-no-files-found') || 'warn'
  if (!['warn', 'error', 'ignore'].includes(wanted)) {
    throw new Error(`if-no-files-found must be warn, error or ignore, not ${wanted}`)
  }
  const lines = input('path').split(/\r?\n/).map(line => line.trim()).filter(line => line && !line.startsWith('#'))
  const pattern = lines.find(line => /[*?[\]]/.test(line) || line.startsWith('!'))
  if (pattern) throw new Error(`this stand-in takes no patterns: ${pattern}`)

  const workspace = process.env.GITHUB_WORKSPACE || process.cwd()
  const present = []
  for (const line of lines) {
    const entry = path.resolve(workspace, line)
    if (fs.existsSync(entry)) present.push(entry)
    else say('warning', `not there, so not uploaded: ${line}`)
  }
  const found = []
  for (const entry of present) files(entry, flag('include-hidden-files'), found)

  if (found.length === 0) {
    const message = `No files were found with the provided path: ${lines.join(', ')}. No artifacts will be uploaded.`
    if (wanted === 'error') throw new Error(message)
    if (wanted === 'warn') say('warning', message)
    else console.log(message)
    return
  }

  const client = new DefaultArtifactClient()
  if (flag('overwrite')) {
    try {
      await client.deleteArtifact(name)
    } catch (error) {
      console.log(`nothing to overwrite: ${error.message}`)
    }
  }
  const { id, size } = await client.uploadArtifact(name, [...new Set(found)], rootOf(present), {
    retentionDays: number('retention-days', 0) || undefined,
    compressionLevel: number('compression-level', 6)
  })
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = process.env
  output('artifact-id', id)
  output('artifact-url', `${server}/${repository}/actions/runs/${run}/artifacts/${id}`)
  console.log(`uploaded ${found.length} file(s), ${size} bytes, as ${name}`)
}

main().catch(error => {
  say('error', error.message)
  process.exitCode = 1
})
