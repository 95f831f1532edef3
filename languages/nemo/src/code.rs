//! The codes of what this crate finds. What each means stands in [`crate::explain`].

use manifold_nemo_syntax::diagnostic::Code;

macro_rules! codes {
    ($($name:ident = $text:literal;)*) => {
        $(pub(crate) const $name: Code = Code($text);)*

        /// Every code of this crate, those of the syntax apart.
        pub const ALL: &[Code] = &[$($name,)*];
    };
}

codes! {
    // names
    DUPLICATE = "E-DUPLICATE";
    MODEL_UNKNOWN = "E-MODEL-UNKNOWN";
    NODE_UNKNOWN = "E-NODE-UNKNOWN";
    POINT_UNKNOWN = "E-POINT-UNKNOWN";
    ENDPOINT = "E-ENDPOINT";
    TARGET = "E-TARGET";
    CONTAIN = "E-CONTAIN";
    // models
    NODE_TYPE = "E-NODE-TYPE";
    LEAF_COMPOSITE = "E-LEAF-COMPOSITE";
    NO_VNFD = "E-NO-VNFD";
    POINT_AT = "E-POINT-AT";
    MODEL_EMPTY = "W-MODEL-EMPTY";
    RECURSION = "E-RECURSION";
    LIMIT = "E-LIMIT";
    ROOT = "E-ROOT";
    // leaves
    VNFD = "E-VNFD";
    INTERFACE = "E-IFACE";
    INTERFACE_AMBIGUOUS = "E-IFACE-AMBIGUOUS";
    INTERFACE_LOCAL = "L-IFACE-LOCAL";
    // statements
    IMPORT = "E-IMPORT";
    UPDATE = "E-UPDATE-UNKNOWN";
    DELETE = "E-DELETE-UNKNOWN";
    TRANSACTION = "E-TRANSACTION-BOUNDS";
    QUERY = "W-QUERY-UNKNOWN";
    // parameters and properties
    ARGUMENT_MISSING = "E-ARGUMENT-MISSING";
    ARGUMENT_UNKNOWN = "E-ARGUMENT-UNKNOWN";
    ARGUMENT_TYPE = "E-ARGUMENT-TYPE";
    PARAMETER_UNUSED = "L-PARAMETER-UNUSED";
    PROPERTY = "W-PROPERTY";
    PROPERTY_VALUE = "E-PROPERTY-VALUE";
    PROPERTY_CONFLICT = "W-PROPERTY-CONFLICT";
    // connections
    SHAPE = "E-SHAPE";
    SHAPE_MISSING = "E-SHAPE-MISSING";
    ENDS = "E-ENDS";
    SAME_END = "E-SAME-END";
    ROLES = "E-ROLES";
    POINT_OPEN = "W-POINT-OPEN";
    NODE_ALONE = "W-NODE-ALONE";
    // rules
    MATCH_KEY = "E-MATCH-KEY";
    MATCH_VALUE = "E-MATCH-VALUE";
    MATCH_CONFLICT = "E-MATCH-CONFLICT";
    OPERATION = "E-OPERATION";
    ACTION = "E-ACTION";
    ACTION_VALUE = "E-ACTION-VALUE";
    ACTION_CONFLICT = "E-ACTION-CONFLICT";
    CONDITION = "E-CONDITION-VALUE";
    MEASURED = "W-MEASURED";
    UNIT = "L-UNIT";
    FLOW_UNUSED = "L-FLOW-UNUSED";
}
