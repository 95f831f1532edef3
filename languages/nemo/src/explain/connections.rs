//! Connections.

super::explanations! {
    SHAPE, "A type that no connection has.",
        "p2p joins two ends, p2mp one with others, mesh each with each, chain one after another.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Type ring Endnodes p, q;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Type p2p Endnodes p, q;\n";
    SHAPE_MISSING, "Several ends and no Type.",
        "Without Type a connection is p2p. For more than two ends it has to be said what they are to each other.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Endnodes p, q, r;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Type mesh Endnodes p, q, r;\n";
    ENDS, "Too few ends, or too many.",
        "A connection joins two ends at least, and one of type p2p exactly two.",
        bad "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Type p2p Endnodes p, q, r;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE ConnectionPoint r;\nCREATE Connection c Type p2mp Endnodes p, q, r;\n";
    SAME_END, "A connection that names an end twice.",
        "What is joined with itself is joined with nothing.",
        bad "CREATE ConnectionPoint p;\nCREATE Connection c Endnodes p, p;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q;\n";
    ROLES, "A management interface and one for data on one net.",
        "Descriptors say of some interfaces that they are for management, of some that they are for data. A net that joins both would carry the one's packets to the other. The net may go through several models: both ways are shown, with the lines of the descriptors.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint m at VNFD:mgmt;\n\nCREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:m;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint m at VNFD:mgmt;\n\nCREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:a;\n";
    POINT_OPEN, "A connection point that nothing inside is connected to.",
        "Who connects the point from outside reaches nothing.",
        bad "CREATE ConnectionPoint p;\n",
        good "CREATE ConnectionPoint p;\nCREATE ConnectionPoint q;\nCREATE Connection c Endnodes p, q;\n";
    NODE_ALONE, "A node of a model that nothing is connected to.",
        "At the top what is not connected becomes a way in. Inside of a model it stays unreachable.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE NodeModel two;\n  Node x Type fw;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE NodeModel two;\n  Node x Type fw;\n  ConnectionPoint p;\n  Connection c Endnodes p, x;\n";
}
