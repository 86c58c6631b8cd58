//! A made-up graph of any size.
//!
//! Of every ten types of a subgraph, five are entities of its own, two are entities of its neighbours to which it adds
//! fields (one with `@requires`), one is a value type shared with nine other subgraphs, and one each is an enum, and an
//! input, an interface or a union.

use std::fmt::Write as _;

use fondaco_composition::SubgraphSource;

/// One of the subgraphs.
pub fn subgraph(index: usize, subgraphs: usize, types: usize) -> SubgraphSource {
    let mut sdl = String::from(
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.12\", import: [\"@key\", \"@shareable\", \"@external\", \"@requires\", \"@tag\"])\n",
    );
    let groups = types.div_ceil(10);
    let mut query = String::from("type Query {\n");
    for group in 0..groups {
        for own in 0..5 {
            entity(&mut sdl, index, group * 5 + own, group);
        }
        let _ = writeln!(
            query,
            "  e{index}x{group}(id: ID!): E{index}x{} @tag(name: \"root\")",
            group * 5
        );
        for neighbour in 1..=2 {
            addition(
                &mut sdl,
                index,
                (index + neighbour) % subgraphs,
                group * 5 + neighbour,
            );
        }
        let shared = index / 10;
        let _ = writeln!(
            sdl,
            "type V{shared}x{group} @shareable {{ amount: Int unit: String note: String }}"
        );
        let _ = writeln!(sdl, "enum N{index}x{group} {{ ONE TWO THREE FOUR }}");
        let _ = match group % 3 {
            0 => writeln!(
                sdl,
                "input I{index}x{group} {{ name: String = \"x\" size: Int kinds: [N{index}x{group}!] }}"
            ),
            1 => writeln!(sdl, "interface I{index}x{group} {{ id: ID! }}"),
            _ => writeln!(
                sdl,
                "union I{index}x{group} = E{index}x{} | E{index}x{}",
                group * 5,
                group * 5 + 1
            ),
        };
    }
    SubgraphSource {
        name: format!("subgraph{index}"),
        url: format!("http://subgraph{index}"),
        sdl: sdl + &query + "}\n",
        file: None,
    }
}

fn entity(sdl: &mut String, index: usize, number: usize, group: usize) {
    let next = if number % 5 == 4 { number - 4 } else { number + 1 };
    let shared = index / 10;
    let (implements, arguments) = match group % 3 {
        0 => (String::new(), format!("(by: I{index}x{group})")),
        1 => (format!(" implements I{index}x{group}"), String::new()),
        _ => (String::new(), "(first: Int = 10)".to_owned()),
    };
    let _ = writeln!(
        sdl,
        "\"\"\"Entity {number} of subgraph {index}.\"\"\"\ntype E{index}x{number}{implements} @key(fields: \"id\") {{\n  id: ID!\n  name: String\n  weight: Int\n  kind: N{index}x{group}\n  value: V{shared}x{group}\n  next{arguments}: E{index}x{next}\n}}"
    );
}

/// What a subgraph adds to an entity of another one.
fn addition(sdl: &mut String, index: usize, other: usize, number: usize) {
    if other == index {
        return;
    }
    let _ = writeln!(
        sdl,
        "type E{other}x{number} @key(fields: \"id\") {{\n  id: ID!\n  weight: Int @external\n  score{index}: Float\n  cost{index}: Int @requires(fields: \"weight\")\n}}"
    );
}
