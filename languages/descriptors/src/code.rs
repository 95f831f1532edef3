//! Every diagnostic code: its number never changes and is never used again for something else. The table here is the source of
//! `docs/diagnostics.md`.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($name:ident = $number:literal, $meaning:literal, $cure:literal;)*) => {
        /// The code of a diagnostic. Printed as `MFD` and four digits.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name = $number,)*
        }

        impl Code {
            /// All codes in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// What it means, for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }

            /// What to do about it, for people.
            pub fn cure(self) -> &'static str {
                match self { $(Code::$name => $cure,)* }
            }
        }
    };
}

codes! {
    // 01xx: the archive
    NotAnArchive = 101, "The file is not a ZIP archive, or it is damaged.", "Pack the folder again with `manifold package build`.";
    PathTraversal = 102, "An entry's name leaves the archive with `..`.", "Refuse the package: no honest packer writes such a name.";
    AbsolutePath = 103, "An entry's name is absolute (`/…` or `C:…`).", "Pack with names relative to the root of the package.";
    LinkEntry = 104, "An entry is a symbolic link or another special file.", "Pack the file that it points at.";
    TooManyEntries = 105, "The archive holds more entries than the limit.", "Leave out what is no part of the package, or raise the limit.";
    DuplicateEntry = 106, "Two entries have the same name: which one counts is anybody's guess.", "Pack the folder again.";
    CaseClash = 107, "Two entries' names differ in case only: on some file systems one overwrites the other.", "Rename one of the two.";
    EncryptedEntry = 108, "An entry is encrypted.", "Pack without a password.";
    SuspiciousRatio = 109, "An entry unpacks to far more than its packed size: a bomb, or a sparse image.", "Pack sparse images as qcow2, or raise the limit.";
    EntryTooLarge = 110, "An entry is larger than the limit.", "Make it smaller, or raise the limit.";
    ArchiveTooLarge = 111, "All entries together are larger than the limit.", "Leave out what is no part of the package, or raise the limit.";
    DamagedEntry = 112, "An entry cannot be unpacked: wrong checksum, cut off, or packed with a method other than store and deflate.", "Pack the folder again.";
    BadEntryName = 113, "An entry's name is not UTF-8, holds a control character, a backslash or a colon, or is too long.", "Rename the file with plain characters.";
    FileAndFolder = 114, "A name is a file and a folder at once.", "Rename one of the two.";

    // 02xx: the package
    NoEntryDefinitions = 201, "The package has neither TOSCA-Metadata/TOSCA.meta nor a definitions file at its root.", "Add TOSCA-Metadata/TOSCA.meta with `Entry-Definitions: Definitions/….yaml`.";
    SeveralEntryDefinitions = 202, "The package has no TOSCA.meta and several definitions files at its root.", "Add TOSCA-Metadata/TOSCA.meta that names the one to start from.";
    MetaSyntax = 203, "A line of TOSCA.meta is not `Name: value`.", "Mend the line; blocks are parted by an empty line.";
    MetaKeyMissing = 204, "TOSCA.meta lacks a key that it must have.", "Add the key.";
    MetaFileMissing = 205, "TOSCA.meta names a file that is not in the package.", "Add the file, or mend the name.";
    ManifestSyntax = 206, "A line of the manifest is not `Name: value`.", "Mend the line.";
    ManifestMetadata = 207, "The manifest lacks its `metadata:` section, or a key in it.", "Add it; `manifold package build` writes it from the descriptor.";
    ManifestFileMissing = 208, "The manifest lists a file that is not in the package.", "Add the file, or drop the entry.";
    HashMismatch = 209, "A file is not the one whose hash was written down: it was changed or damaged.", "Fetch the package again; if you changed the file, build the package again.";
    HashMalformed = 210, "A hash has not as many hexadecimal digits as its algorithm gives.", "Write the whole hash.";
    HashAlgorithm = 211, "The hash algorithm is not one that is known here (SHA-224, SHA-256, SHA-384, SHA-512).", "Use SHA-256 or SHA-512.";
    NotInManifest = 212, "A file is in the package and not in the manifest: nothing protects it.", "Build the package again.";
    NoManifest = 213, "The package has no manifest: nothing shows whether its files are whole.", "Build the package with `manifold package build`.";
    SignatureNotVerified = 214, "The package is signed, and the signature was not verified: this version cannot.", "Verify it with `openssl cms -verify` where you need to be sure.";
    ManifestDisagrees = 215, "The manifest and the descriptor say different things about the same package.", "Make them agree; `manifold package build` writes the manifest from the descriptor.";
    MetaVersion = 216, "TOSCA.meta states a version that is not known here.", "Use `TOSCA-Meta-File-Version: 1.0` (or 1.1) and `CSAR-Version: 1.1`.";
    DefinitionsNotImported = 217, "A definitions file is in the package and nothing imports it, so it was not read.", "Import it, or leave it out.";
    ArtifactMissing = 218, "A definition names an artifact that is not in the package.", "Add the file, or mend its path (it is relative to the definitions file).";

    // 03xx: YAML
    YamlSyntax = 301, "The text is not YAML.", "Mend it at the place shown.";
    DuplicateKey = 302, "A mapping has the same key twice: one of the two values would be lost.", "Drop or rename one.";
    YamlLimit = 303, "The YAML is deeper or larger than the limit, aliases spelled out.", "Split it, or drop aliases that multiply.";
    NotUtf8 = 304, "The file is not UTF-8.", "Save it as UTF-8.";
    NotOneDocument = 305, "The file holds no YAML document or several.", "Keep one document per file.";

    // 04xx: TOSCA
    DefinitionsVersion = 401, "`tosca_definitions_version` is missing or not known here.", "Write `tosca_definitions_version: tosca_simple_yaml_1_3`.";
    ImportMissing = 402, "An import cannot be found in the package.", "Add the file, or mend its path. Nothing is fetched from elsewhere; ETSI's SOL001 type files are built in.";
    WrongShape = 403, "A section is not of the shape that TOSCA gives it.", "See the example in the help of the diagnostic.";
    UnknownType = 404, "The type is defined neither here nor in SOL001.", "Mend the name, or define the type.";
    UnknownKey = 405, "The key has no meaning at this place.", "Mend or drop it.";
    UnknownProperty = 406, "The type has no such property.", "Mend the name, or derive a type that has it.";
    PropertyMissing = 407, "A required property has no value.", "Give it one.";
    WrongValueType = 408, "The value is not of the type that the property has.", "Write a value of that type.";
    ConstraintViolated = 409, "The value breaks a constraint of the property.", "Choose an allowed value.";
    InputUnknown = 410, "`get_input` names an input that is not declared, or that has no value here.", "Declare it with a default.";
    TargetUnknown = 411, "A requirement, policy or group names a node that does not exist.", "Mend the name.";
    RequirementUnknown = 412, "The node's type has no such requirement.", "Mend the name, or declare the requirement in the type.";
    TargetWrongType = 413, "A requirement, policy or group names a node of a type that cannot stand there.", "Name a node of the right type.";
    FunctionUnsupported = 414, "The TOSCA function is not known here, or not usable in a descriptor.", "Use get_input, get_property or concat.";
    BadDerivation = 415, "A type derives from itself or from a type that does not exist.", "Mend `derived_from`.";
    PolicyIgnored = 416, "The policy's or group's type is not known here: it has no effect.", "Use a policy of SOL001.";
    RequirementMissing = 417, "A requirement that must be met is not.", "Connect it.";
    BadSubstitution = 418, "An entry of substitution_mappings maps nothing.", "Write `requirement: [ node, requirement_of_the_node ]`.";
    DefinedTwice = 419, "The same name is defined in two files.", "Rename or drop one.";

    // 05xx: VNFD and PNFD
    NoDescriptor = 501, "The definitions describe neither a VNF nor a network service nor a PNF.", "Add a node template whose type derives from tosca.nodes.nfv.VNF, NS or PNF.";
    NoFlavour = 502, "The VNFD has no deployment flavour, or two of the same id.", "Give each flavour's template a `flavour_id` of its own in substitution_mappings.";
    NothingToRun = 503, "A VDU states neither a size nor an image: it cannot be deployed as a virtual machine.", "Add the capability virtual_compute and an image, or leave it to an MCIOP.";
    ImageIncomplete = 504, "The description of a software image lacks what SOL001 requires.", "Add it.";
    ImageArtifacts = 505, "The image's artifacts do not make one image: one disk, or one kernel (aki) and one initramfs (ari).", "Give the VDU one of the two.";
    ImageHashMismatch = 506, "The image file is not the one whose checksum the descriptor declares.", "Put in the right file, or mend the checksum.";
    AspectUnknown = 507, "A policy names a scaling aspect that is not declared.", "Declare it in a ScalingAspects policy, or mend the name.";
    DeltaUnknown = 508, "A scaling aspect's step names a delta that no policy gives, or the number of step deltas fits neither one nor the highest level.", "Add the delta, or mend the list.";
    LevelBad = 509, "An instantiation level names an unknown aspect or level, goes past the highest scale level, or the default level does not exist.", "Mend the level.";
    LevelDisagrees = 510, "A level states another number of instances than the initial delta and the steps give.", "Make the two agree.";
    InstancesOutOfRange = 511, "A number of instances lies outside of the VDU profile's bounds.", "Mend the bounds or the number.";
    BadAddress = 512, "An address, CIDR or pool is malformed, of the wrong IP version, or outside of its subnet.", "Mend the address.";
    SubnetsOverlap = 513, "Two subnets that meet in one routing domain overlap.", "Choose other addresses for one.";
    OrderTwice = 514, "Two connection points of one VDU have the same order.", "Give each its own.";
    CpUnconnected = 515, "A connection point is on no virtual link and is not exposed.", "Connect or expose it.";
    VnfmInfo = 516, "`vnfm_info` is not of SOL001's form `etsivnfm:v1.2.3` or `<enterprise number>:<name>`.", "Use that form; any text is accepted, and may be refused by others.";

    // 06xx: NSD, and an NSD against its constituents
    UnknownVnfd = 601, "The NSD uses a VNFD that is not known.", "On-board the VNF package first, or mend descriptor_id.";
    UnknownFlavour = 602, "The VNFD has no such deployment flavour.", "Choose one that it has.";
    UnknownLevel = 603, "There is no such instantiation level.", "Choose one that there is.";
    UnknownExtCp = 604, "The constituent has no such external connection point.", "Choose one that it has.";
    ExtCpUnconnected = 605, "An external connection point is not connected to any link of the service.", "Connect it, if the VNF needs it.";
    UnknownPnfd = 606, "The NSD uses a PNFD that is not known.", "On-board the PNFD first, or mend descriptor_id.";
    ProtocolMismatch = 607, "A connection point and its link have no protocol in common.", "Mend layer_protocols of one of the two.";
    LinkUnused = 608, "A virtual link connects nothing.", "Connect it, or drop it.";
    ProfileRange = 609, "A profile's number of instances is not between its least and its most.", "Mend the numbers.";
    ConstituentDiffers = 610, "The NSD states something about a constituent that its own descriptor states otherwise.", "Make them agree.";
    GraphWithoutVnf = 611, "A forwarding graph has no VNF among its constituents (GS NFV 006 clause 4.1.3).", "Add a VNF to its members, or drop the graph.";
    UnknownNsd = 612, "The NSD nests an NSD that is not known.", "On-board the nested NSD first, or mend descriptor_id.";
    NestedCycle = 613, "A network service nests itself.", "Break the circle.";
    NestedLimit = 614, "Network services nest too deep, or too many of them.", "Put the constituents of some into the NSD that nests them.";
    NestedClash = 615, "What nested services bring together does not fit: names that look alike, or a net with properties that contradict.", "Rename one, or make the links agree.";

    PathBroken = 630, "A forwarding path passes what is not there, or by a connection point that is not connected.", "Name a profile or SAP of the service, and connect its connection points.";
    TrafficBad = 631, "A rule on packets says something that no packet, time or action has.", "Mend the value at the place shown.";

    // 07xx: building a package from a folder
    FolderUnreadable = 701, "A file or folder cannot be read.", "Check that it exists and may be read.";
    FolderLink = 702, "The folder holds a symbolic link or a special file.", "Replace it by the file itself.";
    FolderLimit = 703, "The folder holds more than a package may.", "Leave out what is no part of the package.";

    // 08xx: descriptors of other languages
    FormatUnknown = 801, "The file is a descriptor of no language that is known here.", "Use SOL001 (YAML or CSAR), SOL006, OpenMANO 0.1 to 0.3, or the form of GS NFV-MAN 001.";
    DescriptorKind = 802, "The descriptor describes something else than what is wanted here.", "Name a descriptor of the kind that is wanted.";
    FieldUnknown = 803, "The format has no such field: it was not read.", "Mend its name, or drop it.";
    FieldWithoutEffect = 804, "The field is understood, and there is no place for it here: it has no effect.", "Nothing needs to be done, unless you rely on it.";
    FieldMalformed = 805, "A field has not the shape or the values that its format gives it.", "Write it as the message says.";
    FieldMissing = 806, "A field that must be there is not.", "Add it.";
    FieldAlias = 807, "A field has a name that is often written and is not its name.", "Write the right name.";
    FieldEmpty = 808, "A field holds an empty text, which says nothing: it is taken as absent.", "Drop it, or give it a value.";
    BlanksAround = 809, "A value has blanks around it, which are left out.", "Write it without them.";
    NameUnknown = 810, "A name leads to nothing in this descriptor.", "Mend the name, or add what it names.";
    NameTwice = 811, "Two things of one kind have the same name.", "Rename one.";
    LineEnds = 812, "An E-Line joins exactly two connection points.", "Write `connectivity_type: E-LAN`, which joins any number.";
    EndAmbiguous = 813, "An end of a link could be of several VNFs.", "Write which VNF is meant: `vnf:connection_point`.";
    EndUnqualified = 814, "An end of a link does not say of which VNF it is.", "Write `vnf:connection_point`.";
    ImageElsewhere = 815, "The image is named by a path or name of the system that the descriptor was written for.", "Say where it is: on import with `--image NAME=FILE`.";
    SchemaVersion = 816, "The version of the format is not one that is known here.", "Use one that is known.";
    ScaleLimit = 817, "The descriptor says something so often or so high that it is not spelled out here.", "Lower the highest scale levels, or split the descriptor.";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MFD{:04}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The page `docs/diagnostics.md`, whole.
pub fn diagnostics_page() -> String {
    let mut page = String::from(
        "# Diagnostics of packages and descriptors\n\n\
         `manifold package check` prints every fault of a package at once, each with a code. A code never changes its meaning.\n\
         This page is written from `languages/descriptors/src/code.rs`; a test keeps the two equal.\n",
    );
    let chapters = [
        (100, "The archive"),
        (200, "The package"),
        (300, "YAML"),
        (400, "TOSCA"),
        (500, "VNFD and PNFD"),
        (600, "NSD and its constituents"),
        (700, "Building from a folder"),
        (800, "Descriptors of other languages"),
    ];
    for (from, title) in chapters {
        page.push_str(&format!("\n## {title}\n\n| code | meaning | cure |\n|---|---|---|\n"));
        for code in Code::ALL
            .iter()
            .filter(|code| (from..from + 100).contains(&(**code as u16)))
        {
            page.push_str(&format!("| {code} | {} | {} |\n", code.meaning(), code.cure()));
        }
    }
    page
}
