//! Graphs and operations that make planners slow, written by rule: each has something that can multiply.

use std::fmt::Write;
use std::time::Duration;

/// A supergraph, an operation against it, and what is expected of the plan.
pub struct Fixture {
    pub name: &'static str,
    pub supergraph: String,
    pub operation: String,
    /// Median time of a cold plan in a release build.
    pub goal: Duration,
    /// Fetches and waves; `None` where the operation is to be refused.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the tests compare"))]
    pub expected: Option<(usize, usize)>,
}

const ORDINARY: Duration = Duration::from_millis(5);
const LARGE: Duration = Duration::from_millis(20);

/// Every fixture.
pub fn all() -> Vec<Fixture> {
    vec![
        home(),
        requires_chain(),
        key_clique(),
        two_choice_aliases(),
        abstract_types(),
        nested_abstract_types(),
        content_blocks(4),
        content_blocks(8),
        fragments(10, "fragments that double 10 times", LARGE, Some((1, 1))),
        fragments(40, "fragments that double 40 times", LARGE, Some((1, 1))),
        eighty_fetches(),
        hundred_subgraphs(),
    ]
}

/// What the platform's start page asks for.
fn home() -> Fixture {
    Fixture {
        name: "Home of the shop",
        supergraph: include_str!("../../../router/planner/tests/cases/home/supergraph.graphql").to_owned(),
        operation: include_str!("../../../router/planner/tests/cases/home/operation.graphql").to_owned(),
        goal: ORDINARY,
        expected: Some((6, 3)),
    }
}

/// Thirty fields in two subgraphs in turn, each requiring the one before.
fn requires_chain() -> Fixture {
    let mut sdl = head(2);
    query(&mut sdl, 2, &["t: T @join__field(graph: S0)"]);
    sdl.push_str("type T @join__type(graph: S0, key: \"id\") @join__type(graph: S1, key: \"id\") {\n  id: ID!\n  f0: Int @join__field(graph: S0) @join__field(graph: S1, external: true)\n");
    for level in 1..30 {
        let (own, other, before) = (level % 2, (level + 1) % 2, level - 1);
        line(
            &mut sdl,
            format_args!(
                "  f{level}: Int @join__field(graph: S{own}, requires: \"f{before}\") @join__field(graph: S{other}, external: true)"
            ),
        );
    }
    sdl.push_str("}\n");
    Fixture {
        name: "30 fields that require one another in turn",
        supergraph: sdl,
        operation: "{ t { f29 } }".to_owned(),
        goal: ORDINARY,
        expected: Some((30, 30)),
    }
}

/// Twenty subgraphs, each with every one of twenty keys, and a field of its own at three levels.
fn key_clique() -> Fixture {
    const SIZE: usize = 20;
    let mut sdl = head(SIZE);
    query(&mut sdl, SIZE, &["t: T @join__field(graph: S0)"]);
    sdl.push_str("type T");
    for graph in 0..SIZE {
        for key in 0..SIZE {
            line(
                &mut sdl,
                format_args!("  @join__type(graph: S{graph}, key: \"k{key}\")"),
            );
        }
    }
    sdl.push_str("{\n");
    for key in 0..SIZE {
        line(&mut sdl, format_args!("  k{key}: ID!"));
        line(
            &mut sdl,
            format_args!("  f{key}: Int @join__field(graph: S{key})"),
        );
        line(&mut sdl, format_args!("  t{key}: T @join__field(graph: S{key})"));
    }
    sdl.push_str("}\n");
    let fields: String = (0..SIZE).map(|field| format!("f{field} ")).collect();
    Fixture {
        name: "20 subgraphs that share 20 keys",
        supergraph: sdl,
        operation: format!("{{ t {{ {fields} t7 {{ {fields} t11 {{ {fields} }} }} }} }}"),
        goal: LARGE,
        expected: Some((22, 4)),
    }
}

/// Sixty-four aliases of a field that two subgraphs resolve, with a follow-up that two more resolve.
fn two_choice_aliases() -> Fixture {
    let mut sdl = head(4);
    query(
        &mut sdl,
        4,
        &["a: A @join__field(graph: S0) @join__field(graph: S1)"],
    );
    sdl.push_str("type A @join__type(graph: S0, key: \"id\") @join__type(graph: S1, key: \"id\") @join__type(graph: S2, key: \"id\") @join__type(graph: S3, key: \"id\") {\n  id: ID!\n  x: Int @join__field(graph: S2) @join__field(graph: S3)\n  y: Int @join__field(graph: S3)\n}\n");
    let aliases: String = (0..64)
        .map(|alias| format!("a{alias}: a {{ x {} }} ", if alias == 63 { "y" } else { "" }))
        .collect();
    Fixture {
        name: "64 aliases with two choices each",
        supergraph: sdl,
        operation: format!("{{ {aliases} }}"),
        goal: ORDINARY,
        expected: Some((2, 2)),
    }
}

/// An interface of forty types spread over ten subgraphs, each type with a field elsewhere.
fn abstract_types() -> Fixture {
    Fixture {
        name: "an interface of 40 types in 10 subgraphs",
        supergraph: interface_graph(40, 10, 0),
        operation: format!("{{ node {{ id {} }} }}", type_conditions(40)),
        goal: LARGE,
        expected: Some((11, 2)),
    }
}

/// The same interface four levels deep: what is selected multiplies with the types at each level.
fn nested_abstract_types() -> Fixture {
    Fixture {
        name: "an interface of 40 types, 4 levels deep",
        supergraph: interface_graph(40, 10, 1),
        operation: "{ node { next { next { next { id f0 } } } } }".to_owned(),
        goal: LARGE,
        expected: Some((11, 2)),
    }
}

/// Pages of a content system: blocks of forty types in blocks. Two subgraphs have the interface; one tells what is in
/// the blocks of even types, the other what is in those of odd ones. Ten more have a field of some types each.
fn content_blocks(levels: usize) -> Fixture {
    const TYPES: usize = 40;
    const EXTENSIONS: usize = 10;
    let mut sdl = head(2 + EXTENSIONS);
    query(&mut sdl, 2 + EXTENSIONS, &["page: Block @join__field(graph: S0)"]);
    sdl.push_str("interface Block @join__type(graph: S0) @join__type(graph: S1) {\n  id: ID!\n  blocks: [Block!]!\n  text: String\n}\n");
    for ty in 0..TYPES {
        let extension = 2 + ty % EXTENSIONS;
        write(&mut sdl, format_args!("type B{ty} implements Block"));
        for graph in [0, 1, extension] {
            write(
                &mut sdl,
                format_args!(" @join__type(graph: S{graph}, key: \"id\")"),
            );
        }
        for graph in [0, 1] {
            write(
                &mut sdl,
                format_args!(" @join__implements(graph: S{graph}, interface: \"Block\")"),
            );
        }
        let (own, other) = (ty % 2, (ty + 1) % 2);
        line(
            &mut sdl,
            format_args!(
                " {{\n  id: ID!\n  blocks: [Block!]! @join__field(graph: S{own}) @join__field(graph: S{other}, external: true)\n  text: String @join__field(graph: S{extension})\n}}"
            ),
        );
    }
    let name = match levels {
        4 => "blocks of 40 types, 4 levels deep",
        _ => "blocks of 40 types, 8 levels deep",
    };
    Fixture {
        name,
        supergraph: sdl,
        operation: format!(
            "{{ page {}{{ id text }}{} }}",
            "{ blocks ".repeat(levels),
            "}".repeat(levels)
        ),
        goal: LARGE,
        // The extensions, and for each level one of the two; what is found out early waits for the rest.
        expected: Some((levels + 1 + EXTENSIONS, levels + 2)),
    }
}

/// Subgraph `next` resolves the field of that name for the first type, S0 for all others.
fn interface_graph(types: usize, graphs: usize, next: usize) -> String {
    let mut sdl = head(graphs + 1);
    query(&mut sdl, graphs + 1, &["node: Node @join__field(graph: S0)"]);
    sdl.push_str("interface Node @join__type(graph: S0) @join__type(graph: S1) {\n  id: ID!\n  next: Node\n  f0: Int\n}\n");
    for ty in 0..types {
        let graph = 1 + ty % graphs;
        let next = if ty == 0 { next } else { 0 };
        line(
            &mut sdl,
            format_args!(
                "type T{ty} implements Node @join__implements(graph: S0, interface: \"Node\") @join__type(graph: S0, key: \"id\") @join__type(graph: S{graph}, key: \"id\") {{"
            ),
        );
        line(
            &mut sdl,
            format_args!(
                "  id: ID!\n  next: Node @join__field(graph: S{next})\n  f0: Int @join__field(graph: S{graph})\n  own{ty}: Int @join__field(graph: S{graph})\n}}"
            ),
        );
    }
    sdl
}

fn type_conditions(types: usize) -> String {
    (0..types)
        .map(|ty| format!("... on T{ty} {{ own{ty} }} "))
        .collect()
}

/// Fragments that spread the next one twice, under different keys.
fn fragments(levels: usize, name: &'static str, goal: Duration, expected: Option<(usize, usize)>) -> Fixture {
    let mut sdl = head(1);
    query(&mut sdl, 1, &["t: T"]);
    sdl.push_str("type T @join__type(graph: S0) {\n  x: Int\n  t: T\n}\n");
    let mut operation = String::from("{ t { ...F0 } }\n");
    for level in 0..levels {
        let next = level + 1;
        line(
            &mut operation,
            format_args!("fragment F{level} on T {{ a{level}: x ...G{level} b: t {{ x }} }}"),
        );
        line(
            &mut operation,
            format_args!("fragment G{level} on T {{ ...F{next} ... on T {{ ...F{next} }} }}"),
        );
    }
    line(&mut operation, format_args!("fragment F{levels} on T {{ x }}"));
    Fixture {
        name,
        supergraph: sdl,
        operation,
        goal,
        expected,
    }
}

/// Forty root fields of forty subgraphs, each with an entity that another forty extend.
fn eighty_fetches() -> Fixture {
    const HALF: usize = 40;
    let mut sdl = head(HALF * 2);
    let roots: Vec<String> = (0..HALF)
        .map(|graph| format!("r{graph}: E{graph} @join__field(graph: S{graph})"))
        .collect();
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    query(&mut sdl, HALF * 2, &roots);
    let mut operation = String::from("{");
    for graph in 0..HALF {
        let other = graph + HALF;
        line(
            &mut sdl,
            format_args!(
                "type E{graph} @join__type(graph: S{graph}, key: \"id\") @join__type(graph: S{other}, key: \"id\") {{\n  id: ID!\n  a: Int @join__field(graph: S{graph})\n  b: Int @join__field(graph: S{other})\n  list: [E{graph}!]! @join__field(graph: S{graph})\n}}"
            ),
        );
        line(
            &mut operation,
            format_args!("  r{graph} {{ a b list {{ a b list {{ b }} }} }}"),
        );
    }
    operation.push('}');
    Fixture {
        name: "80 fetches over 80 subgraphs",
        supergraph: sdl,
        operation,
        goal: LARGE,
        expected: Some((80, 2)),
    }
}

/// A hundred subgraphs with twenty types each, all types with fields in three subgraphs; twenty of them are asked for.
fn hundred_subgraphs() -> Fixture {
    const GRAPHS: usize = 100;
    const TYPES: usize = 2000;
    let mut sdl = head(GRAPHS);
    let roots: Vec<String> = (0..TYPES)
        .map(|ty| format!("r{ty}: T{ty} @join__field(graph: S{})", ty % GRAPHS))
        .collect();
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    query(&mut sdl, GRAPHS, &roots);
    for ty in 0..TYPES {
        let graphs = [ty % GRAPHS, (ty + 1) % GRAPHS, (ty + 7) % GRAPHS];
        write(&mut sdl, format_args!("type T{ty}"));
        for graph in graphs {
            write(
                &mut sdl,
                format_args!(" @join__type(graph: S{graph}, key: \"id\")"),
            );
        }
        sdl.push_str(" {\n  id: ID!\n");
        for (field, graph) in graphs.iter().enumerate() {
            for copy in 0..4 {
                line(
                    &mut sdl,
                    format_args!("  f{field}x{copy}: Int @join__field(graph: S{graph})"),
                );
            }
        }
        line(
            &mut sdl,
            format_args!(
                "  next: T{} @join__field(graph: S{})\n}}",
                (ty + 1) % TYPES,
                graphs[1]
            ),
        );
    }
    let mut operation = String::from("{");
    for root in 0..10 {
        line(
            &mut operation,
            format_args!("  r{root} {{ f0x0 f1x1 f2x2 next {{ f0x3 f2x0 next {{ f1x0 f2x2 }} }} }}"),
        );
    }
    operation.push('}');
    Fixture {
        name: "100 subgraphs of 20 types",
        supergraph: sdl,
        operation,
        goal: LARGE,
        expected: Some((46, 4)),
    }
}

/// The definitions of join v0.3 and the list of subgraphs.
fn head(graphs: usize) -> String {
    let mut sdl = String::from(
        r#"schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph {
"#,
    );
    for graph in 0..graphs {
        line(
            &mut sdl,
            format_args!("  S{graph} @join__graph(name: \"s{graph}\", url: \"http://s{graph}/\")"),
        );
    }
    sdl.push_str("}\n");
    sdl
}

fn query(sdl: &mut String, graphs: usize, fields: &[&str]) {
    sdl.push_str("type Query");
    for graph in 0..graphs {
        write(sdl, format_args!(" @join__type(graph: S{graph})"));
    }
    sdl.push_str(" {\n");
    for field in fields {
        line(sdl, format_args!("  {field}"));
    }
    sdl.push_str("}\n");
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    write(text, arguments);
    text.push('\n');
}

fn write(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string succeeds");
}
