//! Flows and operations.

super::explanations! {
    MATCH_KEY, "A match of something that no packet has.",
        "A flow matches srcip, dstip, proto, srcport, dstport, srcmac, dstmac and ethtype; src-ip, source-ip and the like mean the same.",
        bad "CREATE Flow f Match srcpi: 10.0.0.1;\nCREATE Operation o Target f Action block;\n",
        good "CREATE Flow f Match srcip: 10.0.0.1;\nCREATE Operation o Target f Action block;\n";
    MATCH_VALUE, "A value that no packet has.",
        "Addresses and prefixes of IPv4 and IPv6, protocols by name or number, ports from 1 to 65535 or a range of them, MAC addresses, types of frames.",
        bad "CREATE Flow f Match dstport: 70000;\nCREATE Operation o Target f Action block;\n",
        good "CREATE Flow f Match dstport: (8000, 8080);\nCREATE Operation o Target f Action block;\n";
    MATCH_CONFLICT, "Matches that no packet has at once.",
        "A packet has addresses of one version of IP, and ports only with a protocol that has them.",
        bad "CREATE Flow f Match proto: icmp, dstport: 80;\nCREATE Operation o Target f Action block;\n",
        good "CREATE Flow f Match proto: tcp, dstport: 80;\nCREATE Operation o Target f Action block;\n";
    OPERATION, "An operation without Target or Action.",
        "An operation says what it acts on and what it does.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action block;\n";
    ACTION, "An action that is not there.",
        "The actions are go-through (redirect), block (deny, drop), allow (permit, accept), bandwidth (qos-bandwidth, rate) and priority (precedence, qos).",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action blok;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action block;\n";
    ACTION_VALUE, "An action without its value, or with one that it cannot have.",
        "go-through names nodes, `fw` or `fw:in:out` or a list; bandwidth is a number with its unit; priority goes from 0 (last) to 7 (first); block and allow have no value.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action priority: 9;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action priority: 7;\n";
    ACTION_CONFLICT, "Actions that do not go together.",
        "What is dropped is dropped: nothing else can be done with it. No action stands twice.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action block, bandwidth: 10(mbps);\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action allow, bandwidth: 10(mbps);\n";
    CONDITION, "A comparison with a value that does not fit.",
        "`time` is compared with `hh:mm:ss`, `date` with `yyyy-mm-dd`, `fulltime` with both and a comma between; a range is a list of two. A measured state is compared with a number.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Condition time > 25:00:00 Action block;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Condition time > 08:00:00 Action block;\n";
    MEASURED, "A condition on something that is not measured.",
        "Conditions on a load, a delay and the like can be written and are checked. Nothing measures them yet, so a script with one is refused when it shall be applied.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Condition load > 80 Action block;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Condition time > 08:00:00 Action block;\n";
    UNIT, "A rate without its unit.",
        "Megabits per second are meant, as in OpenDaylight.",
        bad "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action bandwidth: 10;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action bandwidth: 10(mbps);\n";
    FLOW_UNUSED, "A flow that no operation acts on.",
        "A flow only names packets. What happens to them is said by an operation.",
        bad "CREATE Flow f Match dstport: 80;\n",
        good "CREATE Flow f Match dstport: 80;\nCREATE Operation o Target f Action block;\n";
}
