//! The codes of what the parser tells, and what each means.

use crate::diagnostic::Code;

/// A code explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// In a few words.
    pub title: &'static str,
    /// What it means, why it is so, what to do.
    pub text: &'static str,
    /// A script that has it.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $text:literal, bad $bad:literal, good $good:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*

        /// All codes, explained.
        pub const EXPLANATIONS: &[Explanation] = &[$(Explanation {
            code: $name, title: $title, text: $text, bad: $bad, good: $good,
        },)*];
    };
}

codes! {
    E_AT = "E-AT", "`at` without VNFD.",
        "A connection point of a leaf says at which interface of the descriptor it is: `at VNFD:` and the interface.",
        bad "CREATE NodeModel m VNFD catalog:m;\n  ConnectionPoint a at ge0;\n",
        good "CREATE NodeModel m VNFD catalog:m;\n  ConnectionPoint a at VNFD:ge0;\n";
    E_BRACE = "E-BRACE", "A body without its closing brace.",
        "A body that begins with `{` ends with `}`. A statement that begins with a verb cannot stand in a body.",
        bad "CREATE NodeModel m {\n  ConnectionPoint a;\n\nCREATE Node n Type m;\n",
        good "CREATE NodeModel m {\n  ConnectionPoint a;\n}\n\nCREATE Node n Type m;\n";
    E_CLAUSE = "E-CLAUSE", "A clause that the entity does not have.",
        "Each kind of entity has its own clauses: a Node has Type, Contain and Property; a Connection Type, Endnodes and Property; a Flow Match and Property; an Operation Target, Priority, Condition and Action; a ConnectionPoint `at`.",
        bad "CREATE Node n Endnodes a, b;\n",
        good "CREATE Connection c Endnodes a, b;\n";
    E_COLON = "E-COLON", "A missing `:`.",
        "Between a property and its value, and between a parameter's type and its name, stands `:`.",
        bad "CREATE Node n Type m Property location rack1;\n",
        good "CREATE Node n Type m Property location: rack1;\n";
    E_COMMA = "E-COMMA", "A missing `,`.",
        "Commas stand between the items of a list.",
        bad "CREATE Connection c Endnodes a b;\n",
        good "CREATE Connection c Endnodes a, b;\n";
    E_COMMENT = "E-COMMENT", "A comment without an end.",
        "A comment that begins with `/*` goes on to the next `*/`; without that, to the end of the text.",
        bad "CREATE Node n Type m; /* the rest\n",
        good "CREATE Node n Type m; /* the rest */\n";
    E_CONDITION = "E-CONDITION", "A condition that does not read.",
        "A condition is made of comparisons, a name, one of `==` `!=` `>` `<` `>=` `<=` `*` (within a range) and a value, joined by `&&`, `||`, `!` and brackets.",
        bad "CREATE Operation o Target f Condition time 8 Action block;\n",
        good "CREATE Operation o Target f Condition time > 08:00:00 Action block;\n";
    E_DELETE = "E-DELETE", "DELETE of something that has no such kind.",
        "DELETE is followed by the kind of what goes, then its name.",
        bad "DELETE n;\n",
        good "DELETE Node n;\n";
    E_DEPTH = "E-DEPTH", "A condition that is nested too deep.",
        "Brackets and `!` may be nested 64 deep.",
        bad "CREATE Operation o Target f Condition !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!a == 1;\n",
        good "CREATE Operation o Target f Condition a == 1;\n";
    E_DIGEST = "E-DIGEST", "A digest that is none.",
        "A digest pins the bytes of a descriptor: `sha256:` and 64 hexadecimal digits.",
        bad "CREATE NodeModel m VNFD catalog:m Digest sha256:12ab;\n",
        good "CREATE NodeModel m VNFD catalog:m Digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;\n";
    E_ENDNODES = "E-ENDNODES", "Ends without the keyword Endnodes.",
        "What a Connection joins stands behind Endnodes. A list of ends without the keyword is read as if it were there; a lenient check takes it with a warning (W-ENDNODES).",
        bad "CREATE Connection c Type p2p a, b:x;\n",
        good "CREATE Connection c Type p2p Endnodes a, b:x;\n";
    E_ENTITY = "E-ENTITY", "A verb without something that it can make.",
        "CREATE, IMPORT and UPDATE are followed by NodeModel, Node, Connection, Flow, Operation or ConnectionPoint.",
        bad "CREATE Nod n Type m;\n",
        good "CREATE Node n Type m;\n";
    E_INTEGER = "E-INTEGER", "No whole number, or one that is too large.",
        "Priorities and periods are whole numbers. A number has at most 18 digits or so.",
        bad "CREATE Operation o Target f Priority high Action block;\n",
        good "CREATE Operation o Target f Priority 10 Action block;\n";
    E_MANY = "E-MANY", "More faults than are told.",
        "Only the first faults of a text are told. Mend those, then look again.",
        bad "",
        good "";
    E_MEMBER = "E-MEMBER", "What is no member stands in a body.",
        "The body of a model holds Node, Connection, Flow, Operation and ConnectionPoint. It ends where a statement begins.",
        bad "CREATE NodeModel m;\n  ConectionPoint a;\n",
        good "CREATE NodeModel m;\n  ConnectionPoint a;\n";
    E_NAME = "E-NAME", "A name that lacks or is none.",
        "A name is a letter, then letters, digits, `_` and `-`. Keywords can be names where that is clear.",
        bad "CREATE Node 1n Type m;\n",
        good "CREATE Node n1 Type m;\n";
    E_PARAMETER = "E-PARAMETER", "A parameter of an unknown type.",
        "A model's parameters are of type string, integer or range.",
        bad "CREATE NodeModel m Property text: name;\n",
        good "CREATE NodeModel m Property string: name;\n";
    E_QUERY = "E-QUERY", "A question without what is asked.",
        "Query is followed by nodes, connections, flows, operations, the name of a clause, or a name.",
        bad "Query;\n",
        good "Query nodes;\n";
    E_SEMI = "E-SEMI", "A missing `;`.",
        "Every statement and every member ends with `;`. The fault is told at the end of the word before; a lenient check takes it with a warning (W-SEMI).",
        bad "CREATE NodeModel m;\n  ConnectionPoint a\n  ConnectionPoint b;\n",
        good "CREATE NodeModel m;\n  ConnectionPoint a;\n  ConnectionPoint b;\n";
    E_SIZE = "E-SIZE", "A text that is too large.",
        "A script has at most 16 MiB.",
        bad "",
        good "";
    E_STATEMENT = "E-STATEMENT", "What is no statement.",
        "A statement begins with CREATE, IMPORT, UPDATE, DELETE, Query, Transaction, Commit or Withdraw.",
        bad "MAKE Node n Type m;\n",
        good "CREATE Node n Type m;\n";
    E_STRING = "E-STRING", "A text without its closing quote.",
        "A text in quotes ends on its own line.",
        bad "CREATE Node n Type m Property title: \"front;\n",
        good "CREATE Node n Type m Property title: \"front\";\n";
    E_TOKEN = "E-TOKEN", "A word or sign that is not expected.",
        "What stands here belongs to nothing. It is skipped up to the next clause, `;`, or statement.",
        bad "CREATE Node n Type m = 5;\n",
        good "CREATE Node n Type m Property size: 5;\n";
    E_TRANSACTION = "E-TRANSACTION", "A transaction's bound that is none.",
        "Transaction Begin opens a transaction; Transaction End, Transaction Commit and Commit make it come true; Withdraw gives it up.",
        bad "Transaction Start;\n",
        good "Transaction Begin;\n";
    E_TWICE = "E-TWICE", "A clause stands twice.",
        "The clauses of an entity may stand in any order, each at most once. Put the items of both into one.",
        bad "CREATE Node n Property a: 1 Property b: 2;\n",
        good "CREATE Node n Property a: 1, b: 2;\n";
    E_URI = "E-URI", "VNFD without an address.",
        "VNFD is followed by the address of a descriptor: `catalog:name`, a file's path, or a URL; in `<` `>` or quotes where it holds `;` or is broken over lines.",
        bad "CREATE NodeModel m VNFD;\n",
        good "CREATE NodeModel m VNFD catalog:m;\n";
    E_URI_BREAK = "E-URI-BREAK", "An address that is broken by a line's end.",
        "An address ends at white space. Where the next line begins with `/`, as in printed drafts, both parts are probably one: the fix joins them; a lenient check does so by itself and warns (W-URI-FOLD). In `<` `>` or quotes an address may be broken anywhere.",
        bad "CREATE NodeModel m VNFD https://example.org\n/m.yaml;\n",
        good "CREATE NodeModel m VNFD https://example.org/m.yaml;\n";
    E_VALUE = "E-VALUE", "A value that lacks or is none.",
        "A value is a word, a number, a text in quotes, an address, a date or time, a list `[a, b]` or a range `(1, 5)`; a unit in brackets may follow: `128(kbps)`.",
        bad "CREATE Node n Type m Property size: ;\n",
        good "CREATE Node n Type m Property size: 5;\n";
    E_VERB = "E-VERB", "An entity without a verb.",
        "Outside of a model's body an entity stands behind CREATE, IMPORT or UPDATE.",
        bad "Node n Type m;\n",
        good "CREATE Node n Type m;\n";
    W_ENDNODES = "W-ENDNODES", "Ends without the keyword Endnodes, let pass.",
        "As E-ENDNODES, in a lenient check.",
        bad "CREATE Connection c Type p2p a, b:x;\n",
        good "CREATE Connection c Type p2p Endnodes a, b:x;\n";
    W_RESERVED = "W-RESERVED", "A form of the language that has no effect.",
        "Earlier forms of the language have further models, parameter types, notifications and session statements. They are read, so that nothing is dropped in silence, and have no effect.",
        bad "CREATE ActionModel a Property string: b;\n",
        good "";
    W_SEMI = "W-SEMI", "A missing `;`, let pass.",
        "As E-SEMI, in a lenient check.",
        bad "CREATE NodeModel m;\n  ConnectionPoint a\n  ConnectionPoint b;\n",
        good "CREATE NodeModel m;\n  ConnectionPoint a;\n  ConnectionPoint b;\n";
    W_URI_FOLD = "W-URI-FOLD", "An address that is broken by a line's end, joined.",
        "As E-URI-BREAK, in a lenient check.",
        bad "CREATE NodeModel m VNFD https://example.org\n/m.yaml;\n",
        good "CREATE NodeModel m VNFD https://example.org/m.yaml;\n";
    L_CASE = "L-CASE", "A keyword in another case.",
        "Keywords are read in any case; one spelling is easier to search for.",
        bad "create node n type m;\n",
        good "CREATE Node n Type m;\n";
    L_COLUMN = "L-COLUMN", "A member that is not indented.",
        "A model's body has no end of its own: it goes on to the next verb. Indentation shows what belongs to it.",
        bad "CREATE NodeModel m;\nConnectionPoint a;\n",
        good "CREATE NodeModel m;\n  ConnectionPoint a;\n";
    L_EMPTY = "L-EMPTY", "A `;` that ends nothing.",
        "It can go.",
        bad "CREATE Node n Type m;;\n",
        good "CREATE Node n Type m;\n";
    L_IMPORT = "L-IMPORT", "IMPORT of a model.",
        "IMPORT binds a name to what exists already. A model is only ever defined: here IMPORT means CREATE.",
        bad "IMPORT NodeModel m VNFD catalog:m;\n",
        good "CREATE NodeModel m VNFD catalog:m;\n";
}

/// What a code means.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    EXPLANATIONS
        .iter()
        .find(|explanation| explanation.code.0.eq_ignore_ascii_case(code))
}
