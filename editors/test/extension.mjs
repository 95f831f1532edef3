// The extension, in an editor that is made up: it starts the server that the settings name, and shows what the server explains.
import assert from "node:assert/strict";
import Module, { createRequire } from "node:module";

const seen = { commands: new Map(), clients: [], shown: [] };
class LanguageClient {
  constructor(id, name, server, options) {
    Object.assign(this, { id, name, server, options, state: "new" });
    seen.clients.push(this);
  }
  async start() {
    if (this.server.command === "absent") throw new Error("spawn absent ENOENT");
    this.state = "started";
  }
  async stop() {
    this.state = "stopped";
  }
  async dispose() {
    this.state = "disposed";
  }
  async sendRequest(method, params) {
    assert.equal(method, "workspace/executeCommand");
    assert.equal(params.command, "nemo.explain");
    return `# ${params.arguments[0]}`;
  }
}
const settings = { "server.path": "manifold", "server.arguments": ["nemo", "lsp"] };
const vscode = {
  env: { uriScheme: "vscode" },
  Uri: { from: (parts) => parts },
  workspace: {
    getConfiguration: (section) => (assert.equal(section, "nemo"), { get: (key) => settings[key] }),
    createFileSystemWatcher: (pattern) => ({ pattern }),
    registerTextDocumentContentProvider: (scheme, provider) => (seen.provider = { scheme, ...provider }),
  },
  window: {
    activeTextEditor: undefined,
    registerUriHandler: (handler) => (seen.uriHandler = handler),
    showErrorMessage: async (message) => void seen.shown.push(message),
    showInformationMessage: async (message) => void seen.shown.push(message),
  },
  languages: { getDiagnostics: () => [] },
  commands: {
    registerCommand: (name, run) => seen.commands.set(name, run),
    executeCommand: async (name, argument) => void seen.shown.push([name, argument.path]),
  },
};

const load = Module._load;
Module._load = (name, ...rest) =>
  name === "vscode" ? vscode : name === "vscode-languageclient/node" ? { LanguageClient } : load(name, ...rest);
const require = createRequire(import.meta.url);
const extension = require("../vscode/extension.js");
const manifest = require("../vscode/package.json");

const context = { subscriptions: [], extension: { id: `${manifest.publisher}.${manifest.name}` } };
await extension.activate(context);
const [client] = seen.clients;
assert.deepEqual(client.server, { command: "manifold", args: ["nemo", "lsp"] });
assert.equal(client.state, "started");
assert.equal(client.options.initializationOptions.explainBase, "vscode://manifold.nemo/explain/");
for (const { command } of manifest.contributes.commands) assert.ok(seen.commands.has(command), command);
for (const key of Object.keys(settings)) assert.ok(manifest.contributes.configuration.properties[`nemo.${key}`], key);

// A click on a code.
await seen.uriHandler.handleUri({ path: "/explain/E-SEMI" });
assert.deepEqual(seen.shown.pop(), ["markdown.showPreview", "/E-SEMI.md"]);
assert.equal(await seen.provider.provideTextDocumentContent({ path: "/E-SEMI.md" }), "# E-SEMI");
await seen.uriHandler.handleUri({ path: "/explain/../../etc" });
assert.equal(seen.shown.length, 0, "a code and nothing else is explained");

// Another server, which is not there: the user is told.
settings["server.path"] = "absent";
await seen.commands.get("nemo.restart")();
assert.equal(client.state, "disposed");
assert.match(seen.shown.pop(), /did not start.*ENOENT/);
await extension.deactivate();
console.log("extension: ok");
