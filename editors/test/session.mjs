// A session with the server by the library that VS Code speaks the protocol with.
//   NEMO_LSP="manifold nemo lsp" node session.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import lsp from "vscode-languageserver-protocol/node";
import { TextDocument } from "vscode-languageserver-textdocument";

const [program, ...args] = (process.env.NEMO_LSP ?? "manifold nemo lsp").split(" ");
const server = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
const connection = lsp.createProtocolConnection(
  new lsp.StreamMessageReader(server.stdout),
  new lsp.StreamMessageWriter(server.stdin),
);

const folder = mkdtempSync(join(tmpdir(), "nemo-"));
const uri = (name) => pathToFileURL(join(folder, name)).toString();
const vnfs = new URL("../../examples/nemo/vnfs/", import.meta.url);
writeFileSync(join(folder, "firewall.yaml"), readFileSync(new URL("firewall.yaml", vnfs)));

let document;
const published = new Map();
const waiting = [];
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => {
  assert.ok(params.diagnostics.every((told) => lsp.Diagnostic.is(told)), JSON.stringify(params));
  published.set(params.version, params.diagnostics);
  waiting.splice(0).forEach((look) => look());
});
connection.onRequest(lsp.RegistrationRequest.type, () => {});
connection.onError(([error]) => assert.fail(error));
connection.listen();

function diagnostics(version) {
  return new Promise((found) => {
    const look = () => (published.has(version) ? found(published.get(version)) : waiting.push(look));
    look();
  });
}

async function edit(edits) {
  const contentChanges = [...edits]
    .sort((a, b) => document.offsetAt(b.range.start) - document.offsetAt(a.range.start))
    .map((one) => ({ range: one.range, text: one.newText }));
  document = TextDocument.update(document, contentChanges, document.version + 1);
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri: document.uri, version: document.version },
    contentChanges,
  });
}

const position = (what) => document.positionAt(document.getText().indexOf(what));
const at = (what) => ({ textDocument: { uri: document.uri }, position: position(what) });

try {
  const { capabilities } = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(folder).toString(),
    workspaceFolders: [{ uri: pathToFileURL(folder).toString(), name: "here" }],
    capabilities: {
      workspace: { didChangeWatchedFiles: { dynamicRegistration: true }, workspaceEdit: { documentChanges: true } },
      textDocument: { publishDiagnostics: { relatedInformation: true }, hover: { contentFormat: ["markdown"] } },
    },
  });
  assert.equal(capabilities.textDocumentSync.change, lsp.TextDocumentSyncKind.Incremental);
  await connection.sendNotification(lsp.InitializedNotification.type, {});

  const text = "CREATE NodeModel fw VNFD file:firewall.yaml;\n  ConnectionPoint a at VNFD:lan\n  ConnectionPoint b at VNFD:wan;\n";
  document = TextDocument.create(uri("a.nemo"), "nemo", 1, text);
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: { uri: document.uri, languageId: "nemo", version: 1, text },
  });
  const told = await diagnostics(1);
  assert.deepEqual(told.map((one) => one.code), ["E-SEMI"]);

  const actions = await connection.sendRequest(lsp.CodeActionRequest.type, {
    textDocument: { uri: document.uri },
    range: told[0].range,
    context: { diagnostics: told },
  });
  assert.ok(lsp.CodeAction.is(actions[0]) && lsp.WorkspaceEdit.is(actions[0].edit));
  await edit(actions[0].edit.documentChanges[0].edits);
  assert.deepEqual(await diagnostics(2), []);

  const completion = await connection.sendRequest(lsp.CompletionRequest.type, at("lan"));
  assert.ok(completion.items.every((item) => lsp.TextEdit.is(item.textEdit)));
  assert.ok(completion.items.some((item) => item.label === "mgmt"), "the descriptor's interfaces");

  const hover = await connection.sendRequest(lsp.HoverRequest.type, at("lan"));
  assert.ok(lsp.Hover.is(hover) && hover.contents.value.includes("firewall.yaml"));

  const [definition] = await connection.sendRequest(lsp.DefinitionRequest.type, at("lan"));
  assert.ok(lsp.Location.is(definition) && definition.uri === uri("firewall.yaml"));

  const rename = await connection.sendRequest(lsp.RenameRequest.type, { ...at("a at"), newName: "inside" });
  await edit(rename.documentChanges[0].edits);
  assert.ok(document.getText().includes("ConnectionPoint inside at"));
  await assert.rejects(connection.sendRequest(lsp.RenameRequest.type, { ...at("inside"), newName: "b" }), /already/);

  const tokens = await connection.sendRequest(lsp.SemanticTokensRequest.type, { textDocument: { uri: document.uri } });
  assert.ok(lsp.SemanticTokens.is(tokens) && tokens.data.length % 5 === 0);
  const folds = await connection.sendRequest(lsp.FoldingRangeRequest.type, { textDocument: { uri: document.uri } });
  assert.ok(folds.length > 0 && folds.every((fold) => lsp.FoldingRange.is(fold)));
  const symbols = await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument: { uri: document.uri } });
  assert.ok(symbols.every((symbol) => lsp.Location.is(symbol.location)));
  const links = await connection.sendRequest(lsp.DocumentLinkRequest.type, { textDocument: { uri: document.uri } });
  assert.ok(links.every((link) => lsp.DocumentLink.is(link)));

  await edit([{ range: { start: position("  ConnectionPoint b"), end: position("  ConnectionPoint b") }, newText: "\n\n   " }]);
  const layout = { textDocument: { uri: document.uri }, options: { tabSize: 2, insertSpaces: true } };
  const edits = await connection.sendRequest(lsp.DocumentFormattingRequest.type, layout);
  assert.ok(edits.length > 0 && edits.every((one) => lsp.TextEdit.is(one)));
  await edit(edits);
  assert.deepEqual(await connection.sendRequest(lsp.DocumentFormattingRequest.type, layout), []);

  await connection.sendRequest(lsp.ShutdownRequest.type);
  const ended = new Promise((end) => server.on("exit", end));
  await connection.sendNotification(lsp.ExitNotification.type);
  assert.equal(await ended, 0);
  console.log("session: ok");
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}
