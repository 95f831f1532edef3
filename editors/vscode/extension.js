// Starts `manifold nemo lsp` for NEMO scripts and shows what the server explains.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** Where an explanation is shown: a read-only document whose path is the code. */
const EXPLANATION = "nemo-explanation";

let client;

function makeClient(context) {
  const settings = vscode.workspace.getConfiguration("nemo");
  const server = {
    command: settings.get("server.path"),
    args: settings.get("server.arguments"),
  };
  return new LanguageClient("nemo", "NEMO", server, {
    documentSelector: [
      { scheme: "file", language: "nemo" },
      { scheme: "untitled", language: "nemo" },
    ],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.nemo") },
    // A diagnostic's code becomes a link to this extension, which asks the server to explain it.
    initializationOptions: { explainBase: `${vscode.env.uriScheme}://${context.extension.id}/explain/` },
  });
}

async function start(context) {
  client = makeClient(context);
  try {
    await client.start();
  } catch (error) {
    const choice = await vscode.window.showErrorMessage(
      `The NEMO language server did not start: ${error.message ?? error}. Is \`manifold\` installed and on the PATH?`,
      "Open settings",
    );
    if (choice) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "nemo.server");
    }
  }
}

async function explain(code) {
  const uri = vscode.Uri.from({ scheme: EXPLANATION, path: `/${code}.md` });
  await vscode.commands.executeCommand("markdown.showPreview", uri);
}

function codeUnderCursor() {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return undefined;
  }
  const here = vscode.languages
    .getDiagnostics(editor.document.uri)
    .find((diagnostic) => diagnostic.range.contains(editor.selection.active));
  return typeof here?.code === "object" ? here.code.value : here?.code;
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(EXPLANATION, {
      async provideTextDocumentContent(uri) {
        const code = uri.path.slice(1).replace(/\.md$/, "");
        const text = await client?.sendRequest("workspace/executeCommand", { command: "nemo.explain", arguments: [code] });
        return text ?? `Nothing is known about ${code}.`;
      },
    }),
    vscode.window.registerUriHandler({
      async handleUri(uri) {
        const code = /^\/explain\/([A-Z0-9-]+)$/.exec(uri.path)?.[1];
        if (code) {
          await explain(code);
        }
      },
    }),
    vscode.commands.registerCommand("nemo.restart", async () => {
      await client?.dispose();
      await start(context);
    }),
    vscode.commands.registerCommand("nemo.explainHere", async () => {
      const code = codeUnderCursor();
      if (code) {
        await explain(String(code));
      } else {
        vscode.window.showInformationMessage("No diagnostic stands under the cursor.");
      }
    }),
  );
  await start(context);
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
