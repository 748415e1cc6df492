use proptest::prelude::*;

use super::build::Builder;

/// How a member is wrapped.
#[derive(Clone, Copy, Debug)]
enum Wrap {
    Plain,
    Structure,
    Union,
    Typedef,
}

fn members() -> impl Strategy<Value = Vec<(u32, Wrap)>> {
    let wrap = prop_oneof![
        Just(Wrap::Plain),
        Just(Wrap::Structure),
        Just(Wrap::Union),
        Just(Wrap::Typedef)
    ];
    prop::collection::vec((prop_oneof![Just(1_u32), Just(4), Just(8)], wrap), 1..20)
}

proptest! {
    #[test]
    fn members_are_where_they_were_put(members in members()) {
        let mut builder = Builder::new();
        let mut outer = Vec::new();
        let mut expected = Vec::new();
        let mut offset = 0;
        for (index, (size, wrap)) in members.iter().enumerate() {
            let int = builder.int(&format!("u{}", size * 8), *size);
            let name = format!("m{index}");
            // Inside, four bytes in.
            let inner = [("", int, 0, 0), (name.as_str(), int, 32, 0)];
            let (member, of, at, room) = match wrap {
                Wrap::Plain => (name.clone(), int, offset, *size),
                Wrap::Typedef => (name.clone(), builder.typedef("t", int), offset, *size),
                Wrap::Structure => {
                    let of = builder.structure("", 4 + size, &inner);
                    (String::new(), of, offset + 4, 4 + size)
                }
                Wrap::Union => {
                    // All members of a union begin where it begins.
                    let both = [("", int, 0, 0), (name.as_str(), int, 0, 0)];
                    (String::new(), builder.union(*size, &both), offset, *size)
                }
            };
            outer.push((member, of, offset * 8, 0));
            expected.push((name, at, *size));
            offset += room;
        }
        let outer: Vec<_> = outer.iter().map(|(n, t, o, w)| (n.as_str(), *t, *o, *w)).collect();
        builder.structure("outer", offset, &outer);
        let btf = builder.done();
        let outer = btf.structure("outer").expect("it is there");
        prop_assert_eq!(outer.size(), Some(offset));
        for (name, at, size) in expected {
            let field = outer.member(&name).expect("it is there");
            prop_assert_eq!((field.offset(), field.size()), (at, Some(size)));
        }
        prop_assert!(outer.member("nobody").is_none());
    }

    #[test]
    fn elements_follow_each_other(size in prop_oneof![Just(4_u32), Just(8)], index in 0_u32..100) {
        let mut builder = Builder::new();
        let int = builder.int("int", size);
        let array = builder.array(int, int, 100);
        builder.structure("s", 8 + size * 100, &[("a", array, 64, 0)]);
        let btf = builder.done();
        let element = btf.structure("s").and_then(|s| s.member("a")?.element(index));
        prop_assert_eq!(element.map(|field| field.offset()), Some(8 + index * size));
    }
}

#[test]
fn what_has_no_address_is_not_found() {
    let mut builder = Builder::new();
    let int = builder.int("int", 4);
    let pointer = builder.pointer(int);
    builder.structure(
        "s",
        12,
        &[
            ("bits", int, 0, 3),
            ("more", int, 3, 3),
            ("p", pointer, 32, 0),
        ],
    );
    builder.enumeration("e", &[("ONE", 1), ("MINUS", -1)]);
    builder.tracepoint("knock", 2, int);
    let btf = builder.done();
    let s = btf.structure("s").expect("it is there");
    assert!(s.member("bits").is_none() && s.member("more").is_none());
    let p = s.member("p").expect("it is there");
    assert!(p.member("anything").is_none(), "behind a pointer");
    assert!(p.element(0).is_none());
    assert!(btf.structure("int").is_none() && btf.structure("a\0b").is_none());
    assert_eq!(btf.enumerator("ONE"), Some(1));
    assert_eq!(
        (btf.enumerator("MINUS"), btf.enumerator("TWO")),
        (None, None)
    );
    assert_eq!(
        (btf.tracepoint("knock"), btf.tracepoint("ring")),
        (Some(2), None)
    );
}
