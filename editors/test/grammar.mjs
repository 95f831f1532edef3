// The TextMate grammar, run by VS Code's own engine: each word gets the colour of what it is.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const require = createRequire(import.meta.url);
await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
const path = new URL("../vscode/syntaxes/nemo.tmLanguage.json", import.meta.url);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, "utf8"), path.pathname),
});
const grammar = await registry.loadGrammar("source.nemo");

/** Each token with the innermost of its scopes. */
function tokens(text) {
  const found = [];
  let state = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state, 1000);
    assert.ok(!result.stoppedEarly, `too slow: ${line}`);
    state = result.ruleStack;
    for (const token of result.tokens) {
      const word = line.slice(token.startIndex, token.endIndex);
      if (word.trim()) {
        found.push([word.trim(), token.scopes.at(-1).replace(/\.nemo$/, "")]);
      }
    }
  }
  return found;
}

function expectTokens(text, expected) {
  const found = tokens(text);
  for (const [word, scope] of expected) {
    assert.ok(found.some(([w, s]) => w === word && s === scope), `${word} is not ${scope} in ${JSON.stringify(found)}`);
  }
}

expectTokens("CREATE NodeModel fw Property string: place, integer: size VNFD https://host/a#b.yaml;", [
  ["CREATE", "keyword.control"],
  ["NodeModel", "storage.type.model"],
  ["fw", "entity.name.type.model"],
  ["Property", "keyword.other"],
  ["string", "support.type"],
  ["place", "variable.parameter"],
  ["size", "variable.parameter"],
  ["VNFD", "keyword.other"],
  ["https://host/a#b.yaml", "markup.underline.link"],
  [";", "punctuation.terminator.statement"],
]);
expectTokens("  ConnectionPoint lan at VNFD:ge0; // ge0 of <it>", [
  ["ConnectionPoint", "storage.type"],
  ["lan", "entity.name"],
  ["at", "keyword.other"],
  ["ge0", "variable.other.interface"],
  ["// ge0 of <it>".slice(2).trim(), "comment.line.double-slash"],
]);
expectTokens("  Node n Type fw\n    Property place: north, size: 3;\n  Connection type Type p2mp Endnodes lan, n:wan, n.mgmt;", [
  ["n", "entity.name"],
  ["fw", "entity.name.type"],
  ["place", "support.type.property-name"],
  ["north", "string.unquoted"],
  ["3", "constant.numeric"],
  ["type", "entity.name"],
  ["p2mp", "constant.language.shape"],
  ["Endnodes", "keyword.other"],
  ["lan", "variable.other"],
  ["wan", "variable.other.property"],
  ["mgmt", "variable.other.property"],
]);
expectTokens("create flow f match srcip: 10.0.0.0/8, proto: tcp;\nCREATE Operation o Target f Condition time * (08:00:00, 18:00:00) && load > 5 Action bandwidth: 10(mbps);", [
  ["create", "keyword.control"],
  ["flow", "storage.type"],
  ["srcip", "support.type.property-name"],
  ["10.0.0.0/8", "constant.other.address"],
  ["tcp", "string.unquoted"],
  ["08:00:00", "constant.other.time"],
  ["&&", "keyword.operator"],
  ["10", "constant.numeric"],
  ["mbps", "keyword.other.unit"],
]);
expectTokens("/* CREATE\n Node */ DELETE Node x;\n# the end", [
  ["CREATE", "comment.block"],
  ["DELETE", "keyword.control"],
  ["the end", "comment.line.number-sign"],
]);
// A text without its closing quote ends with its line.
expectTokens('CREATE Node a Property k: "open\nDELETE Node b;', [["DELETE", "keyword.control"]]);

// Every example is coloured to its end: its last statement is not within a comment or a text.
const examples = new URL("../../examples/nemo/", import.meta.url);
for (const name of readdirSync(examples).filter((name) => name.endsWith(".nemo"))) {
  const all = tokens(readFileSync(new URL(name, examples), "utf8").trimEnd());
  assert.deepEqual(all.at(-1), [";", "punctuation.terminator.statement"], name);
}
console.log("grammar: ok");
