//! Names, statements, parameters.

super::explanations! {
    DUPLICATE, "A name that is given twice.",
        "Models have one name each, in all files together. In a body each kind has names of its own: a Node and a Connection may share one, two Nodes may not. A property is said once.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint a at VNFD:out;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint b at VNFD:out;\n";
    MODEL_UNKNOWN, "A model that is not there.",
        "The Type of a node is the name of a model, in this file or in one that is given along with it. Types that OpenDaylight has built in (l2-group, host) are no models here.",
        bad "CREATE Node n Type shaper_vnf;\n",
        good "CREATE NodeModel shaper_vnf VNFD catalog:firewall;\n  ConnectionPoint lan at VNFD:in;\n\nCREATE Node n Type shaper_vnf;\n";
    NODE_UNKNOWN, "A node that is not there.",
        "In `node:point`, in Contain and in go-through stands the name of a node of the same body, which is not the name of its model.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node ids_1 Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes ids1:a, p;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node ids_1 Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes ids_1:a, p;\n";
    POINT_UNKNOWN, "A connection point that a node does not have.",
        "What can be connected of a node are the connection points of its model.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes n:b, p;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes n:a, p;\n";
    ENDPOINT, "An end that cannot be connected.",
        "An end of a connection is a connection point of the same body, a node that has exactly one connection point, or `node:point`. What lies inside of a node is reached through its connection points only.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint b at VNFD:out;\n\nCREATE Node n Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes n, p;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint b at VNFD:out;\n\nCREATE Node n Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes n:a, p;\n";
    TARGET, "An operation on something that is not there.",
        "The Target of an operation is a flow, a node or a connection of the same body; a name that several have means the flow, then the node.",
        bad "CREATE Flow web Match dstport: 80;\nCREATE Operation o Target wep Action block;\n",
        good "CREATE Flow web Match dstport: 80;\nCREATE Operation o Target web Action block;\n";
    CONTAIN, "Contain that names no node that could be in a group.",
        "A node with Contain and without Type, or of type chain-group, is a group: it stands for the nodes that it names, in their order. Groups hold nodes, not groups, and not themselves.",
        bad "CREATE Node chain Contain chain;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\nCREATE Node chain Contain n;\n";
    IMPORT, "IMPORT of something other than a model.",
        "In OpenDaylight IMPORT binds a node to equipment that exists. There is no such equipment here: CREATE the node from a model. A lenient check reads IMPORT as CREATE.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nIMPORT Node n Type fw;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\n";
    UPDATE, "UPDATE of something that is not there.",
        "UPDATE changes what the same file has made before: it replaces the clauses that it has, and of the properties those that it names.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nUPDATE Node n Type fw;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\nUPDATE Node n Property location: north;\n";
    DELETE, "DELETE of something that is not there.",
        "DELETE takes away what the same file has made before: by its name, or as `model:member` out of a model.",
        bad "CREATE ConnectionPoint p;\nDELETE Connection dmz1:c2;\n",
        good "CREATE ConnectionPoint p;\nDELETE ConnectionPoint p;\n";
    TRANSACTION, "A transaction that is not begun, not ended, or begun twice.",
        "Between `Transaction Begin` and its end everything happens or nothing. Transactions do not nest. What stands in one that is withdrawn has no effect.",
        bad "Transaction Begin;\nCREATE ConnectionPoint p;\n",
        good "Transaction Begin;\nTransaction End;\n";
    QUERY, "A question about something that is not there.",
        "Nothing of this name is made by the scripts. It may still run under that name.",
        bad "Query Property From firewal;\n",
        good "CREATE NodeModel firewall VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nQuery Property From firewall;\n";
    ARGUMENT_MISSING, "A parameter without a value.",
        "Each parameter of a model gets its value from a Property of the node.",
        bad "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:port;\n\nCREATE Node n Type fw;\n",
        good "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:port;\n\nCREATE Node n Type fw Property port: in;\n";
    ARGUMENT_UNKNOWN, "A value for a parameter that the model does not have.",
        "A property of the node is nearly the name of a parameter that has no value.",
        bad "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:port;\n\nCREATE Node n Type fw Property prot: in;\n",
        good "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:port;\n\nCREATE Node n Type fw Property port: in;\n";
    ARGUMENT_TYPE, "A value that is not of its parameter's type.",
        "A string is a word, a text in quotes or a number; an integer a whole number; a range two of them: `(1, 5)`.",
        bad "CREATE NodeModel fw Property integer: size VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE NodeModel two Property integer: size;\n  Node n Type fw Property size: large;\n  Node m Type fw Property size: size;\n  Connection c Endnodes n:a, m:a;\n",
        good "CREATE NodeModel fw Property integer: size VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE NodeModel two Property integer: size;\n  Node n Type fw Property size: 3;\n  Node m Type fw Property size: size;\n  Connection c Endnodes n:a, m:a;\n";
    PARAMETER_UNUSED, "A parameter that nothing uses.",
        "A parameter is used where its name stands as a value in the body: of a property, a match, an action, or as an interface.",
        bad "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n",
        good "CREATE NodeModel fw Property string: port VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:port;\n";
    PROPERTY, "A property, or a Contain, that has no effect.",
        "Properties that neither the language nor the model knows are kept and have no effect.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q Property colour: red;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q Property bandwidth: 10(mbps);\n";
    PROPERTY_VALUE, "A property with a value that it cannot have.",
        "A bandwidth is a number with its unit, an ipprefix an address with a length and without host bits.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q Property ipprefix: 10.0.0.1/24;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q Property ipprefix: 10.0.0.0/24;\n";
    PROPERTY_CONFLICT, "Connections that are one net and say different things about it.",
        "Connections that share an end are one net. What the first one says of a property counts.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Endnodes p, q Property bandwidth: 10(mbps);\nCREATE Connection d Endnodes q, r Property bandwidth: 20(mbps);\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Endnodes p, q Property bandwidth: 10(mbps);\nCREATE Connection d Endnodes q, r;\n";
}
