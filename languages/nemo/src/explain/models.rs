//! Models, leaves, the root.

super::explanations! {
    NODE_TYPE, "A node without a Type.",
        "A node is an instance of a model, which its Type names. Only a group, which has Contain, has none.",
        bad "CREATE Node n;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\n";
    LEAF_COMPOSITE, "A model with a descriptor and with something inside.",
        "A leaf is what its descriptor says; a composite is made of nodes. A model is one or the other.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  Flow web Match dstport: 80;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
    NO_VNFD, "`at VNFD:` where there is no descriptor.",
        "A connection point is at an interface of the descriptor of its own model. Without `VNFD` and an address there is none. The connection point of a composite is connected to a node inside instead.",
        bad "CREATE NodeModel fw;\n  ConnectionPoint a at VNFD:in;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
    POINT_AT, "A connection point of a leaf that is nowhere.",
        "In a model with a descriptor each connection point says at which interface it is.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint in;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint in at VNFD:in;\n";
    MODEL_EMPTY, "A model of nothing.",
        "A model without descriptor and without nodes can be used, and nothing comes of it.",
        bad "CREATE NodeModel later;\n",
        good "CREATE NodeModel later VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
    RECURSION, "A model that has itself inside.",
        "Models nest, but what is made of itself has no end. The way from the model to itself is printed.",
        bad "CREATE NodeModel a;\n  Node n Type b;\n\nCREATE NodeModel b;\n  Node m Type a;\n",
        good "CREATE NodeModel a;\n  Node n Type b;\n\nCREATE NodeModel b VNFD catalog:firewall;\n  ConnectionPoint x at VNFD:in;\n";
    LIMIT, "More than is looked at.",
        "A body has at most 50,000 members and 256 parameters, models nest 64 deep, a service has at most 10,000 composites and comes to at most 100,000 VNFs.",
        bad "",
        good "";
    ROOT, "No service, or several.",
        "The service is what stands at the top. Where no node does, it is the one model that no other uses, a composite before a leaf; or the model that is named where the script is used. It has no parameters, since nothing gives them a value.",
        bad "CREATE NodeModel a VNFD catalog:firewall;\n  ConnectionPoint x at VNFD:in;\n\nCREATE NodeModel b VNFD catalog:firewall;\n  ConnectionPoint x at VNFD:in;\n",
        good "CREATE NodeModel a VNFD catalog:firewall;\n  ConnectionPoint x at VNFD:in;\n\nCREATE Node n Type a;\n";
    VNFD, "A descriptor that cannot be had.",
        "The address leads to nothing, to no descriptor, to one with faults, or to where policy does not let us go. The message is that of whoever was asked for it.",
        bad "CREATE NodeModel fw VNFD catalog:frewall;\n  ConnectionPoint a at VNFD:in;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
    INTERFACE, "An interface that the descriptor does not have.",
        "After `at VNFD:` stands the external name of an interface; else the name that it has inside its VNFC; else `VNFC/interface` or `interface.VNFC`. The descriptor's own lines are shown.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:ge0;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
    INTERFACE_AMBIGUOUS, "An interface that could be several.",
        "Two machines of the VNF have an interface of this name inside. Say the external name, or which machine.",
        bad "CREATE NodeModel pair VNFD catalog:pair;\n  ConnectionPoint a at VNFD:eth0;\n",
        good "CREATE NodeModel pair VNFD catalog:pair;\n  ConnectionPoint a at VNFD:eth0.pair-vm1;\n";
    INTERFACE_LOCAL, "An interface by the name that it has inside.",
        "Only one interface has this name inside its machine, so it is clear which one is meant; from outside it has another name.",
        bad "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:eth1;\n",
        good "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n";
}
