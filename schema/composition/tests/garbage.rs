//! Inputs nobody should send: composition answers with an error (or a graph), and never panics or overflows its stack.

use fondaco_composition::{Code, SubgraphSource, compose};

fn subgraph(name: &str, sdl: impl Into<String>) -> SubgraphSource {
    SubgraphSource {
        name: name.to_owned(),
        url: format!("http://{name}"),
        sdl: sdl.into(),
        file: None,
    }
}

/// The codes found in one subgraph.
fn codes(sdl: impl Into<String>) -> Vec<Code> {
    match compose(vec![subgraph("a", sdl)]) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.code).collect(),
    }
}

const KEYED: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.12\", import: [\"@key\", \"@requires\", \"@external\"])\n";

#[test]
fn nothing_at_all() {
    let errors = compose(Vec::new()).expect_err("a graph without subgraphs has no query");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, Code::NoQueries);
}

#[test]
fn empty_and_blank_files() {
    for sdl in ["", " \n\t", "# only a comment", "\u{feff}"] {
        assert!(!codes(sdl).is_empty(), "{sdl:?} composes");
    }
}

#[test]
fn binary_files() {
    let bytes: Vec<u8> = (0..=255u8).cycle().take(100_000).collect();
    assert!(!codes(String::from_utf8_lossy(&bytes)).is_empty());
    assert!(!codes("\0".repeat(10_000)).is_empty());
    assert!(!codes("}".repeat(10_000)).is_empty());
}

#[test]
fn deeply_nested_types_and_values() {
    let deep = 50_000;
    let types = format!("type Query {{ a: {}Int{} }}", "[".repeat(deep), "]".repeat(deep));
    assert!(!codes(types).is_empty());
    let lists = format!(
        "type Query {{ a(x: [Int] = {}1{}): Int }}",
        "[".repeat(deep),
        "]".repeat(deep)
    );
    assert!(!codes(lists).is_empty());
    let objects = format!(
        "scalar S type Query {{ a(x: S = {}1{}): Int }}",
        "{a:".repeat(deep),
        "}".repeat(deep)
    );
    assert!(!codes(objects).is_empty());
}

#[test]
fn deeply_nested_field_sets() {
    let fields = format!("{}id{}", "t { ".repeat(20_000), " }".repeat(20_000));
    let sdl = format!("{KEYED} type Query {{ t: T }} type T @key(fields: \"{fields}\") {{ id: ID t: T }}");
    assert_eq!(codes(sdl), [Code::KeyInvalidFields]);
    // As deep as the parser lets pass.
    let fields = format!("{}id{}", "t { ".repeat(200), " }".repeat(200));
    let sdl = format!("{KEYED} type Query {{ t: T }} type T @key(fields: \"{fields}\") {{ id: ID t: T }}");
    assert!(codes(sdl).is_empty());
}

/// Two subgraphs whose fields require each other's in a long chain, in order or against it.
fn chain(length: usize, forward: bool) -> Vec<SubgraphSource> {
    let mut a = format!("{KEYED} type Query {{ t: T }} type T @key(fields: \"id\") {{ id: ID! ");
    let mut b = format!("{KEYED} type T @key(fields: \"id\") {{ id: ID! ");
    let ordered: Vec<usize> = if forward {
        (0..length).collect()
    } else {
        (0..length).rev().collect()
    };
    for field in ordered {
        let (resolving, other) = if field % 2 == 1 {
            (&mut b, &mut a)
        } else {
            (&mut a, &mut b)
        };
        *resolving += &match field.checked_sub(1) {
            Some(needed) => format!("f{field}: Int @requires(fields: \"f{needed}\") "),
            None => "f0: Int ".to_owned(),
        };
        if field + 1 < length {
            *other += &format!("f{field}: Int @external ");
        }
    }
    vec![subgraph("a", a + "}"), subgraph("b", b + "}")]
}

#[test]
fn long_chains_of_requirements() {
    assert!(compose(chain(90, false)).is_ok());
    assert!(
        compose(chain(400, true)).is_ok(),
        "each field needs one that is known to be had"
    );
    let errors = compose(chain(400, false))
        .map(|_| ())
        .expect_err("that is too deep");
    assert!(errors.iter().all(|error| error.code == Code::SatisfiabilityError));
}

#[test]
fn requirements_that_branch() {
    let mut a =
        format!("{KEYED} type Query {{ t: T }} type T @key(fields: \"id\") {{ id: ID! x0: Int y0: Int ");
    let mut b =
        format!("{KEYED} type T @key(fields: \"id\") {{ id: ID! x0: Int @external y0: Int @external ");
    for level in 1..60 {
        let (resolving, other) = if level % 2 == 1 {
            (&mut b, &mut a)
        } else {
            (&mut a, &mut b)
        };
        let needed = level - 1;
        for name in ["x", "y"] {
            *resolving += &format!("{name}{level}: Int @requires(fields: \"x{needed} y{needed}\") ");
            if level < 59 {
                *other += &format!("{name}{level}: Int @external ");
            }
        }
    }
    let composed = compose(vec![subgraph("a", a + "}"), subgraph("b", b + "}")]);
    assert!(composed.is_ok());
}

#[test]
fn ten_megabytes() {
    let mut sdl = String::from("type Query { a: Int }\n");
    let mut index = 0;
    while sdl.len() < 10_000_000 {
        sdl += &format!("type T{index} {{ {} }}\n", "x".repeat(100_000));
        index += 1;
    }
    assert!(!codes(sdl).is_empty(), "fields without types are no GraphQL");
    assert!(codes(format!("type Query {{ a: Int }}\n# {}", "ä".repeat(5_000_000))).is_empty());
}

#[test]
fn interfaces_in_circles() {
    let sdl = "type Query { a: A } interface A implements B { x: Int } interface B implements A { x: Int }";
    assert!(!codes(sdl).is_empty());
    assert!(!codes("input I { i: I! } type Query { a(i: I): Int }").is_empty());
}
