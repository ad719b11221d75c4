//! The map against a `BTreeMap`, and its corners.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A map of three, with holes before, between and behind.
fn three() -> ConnMap<&'static str> {
    let mut map: ConnMap<_> =
        [(id(7, 0), "seven"), (id(1, 4), "one"), (id(9, 0), "nine"), (id(3, 2), "three")]
            .into_iter()
            .collect();
    map.remove(id(9, 0));
    map
}

#[test]
fn an_id_of_another_generation_finds_nothing() {
    let mut map = three();
    for stranger in [id(1, 3), id(1, 5), id(0, 4), id(2, 0), id(9, 0), id(4_000_000, 0)] {
        assert_eq!(map.get(stranger), None);
        assert_eq!(map.get_mut(stranger), None);
        assert_eq!(map.remove(stranger), None);
        assert!(!map.contains(stranger));
    }
    assert_eq!(map.len(), 3);
    assert_eq!(map[id(1, 4)], "one");
}

#[test]
fn insert_returns_the_value_of_the_same_connection_alone() {
    let mut map = ConnMap::new();
    assert_eq!(map.insert(id(2, 6), "first"), None);
    assert_eq!(map.insert(id(2, 6), "second"), Some("first"));
    assert_eq!(map.insert(id(2, 7), "of the next"), None);
    assert_eq!(map.len(), 1);
    assert_eq!(map.get(id(2, 6)), None);
    assert_eq!(map.get(id(2, 7)), Some(&"of the next"));
}

#[test]
fn a_late_insert_for_a_dead_connection_leaves_the_living_alone() {
    let mut map = ConnMap::new();
    for (dead, living) in [(6, 7), (0, 1), (u32::MAX, 0), (u32::MAX - 3, 2)] {
        map.insert(id(5, living), "living");
        assert_eq!(map.insert(id(5, dead), "dead"), None);
        assert_eq!(map.get_or_insert_with(id(5, dead), || unreachable!("not to be made")), None);
        assert_eq!(map.get(id(5, dead)), None);
        assert_eq!(map.remove(id(5, living)), Some("living"));
        assert!(map.is_empty());
    }
}

#[test]
fn get_or_insert_with_makes_a_value_once() {
    let mut map = ConnMap::new();
    assert_eq!(map.get_or_insert_with(id(0, 1), || 10), Some(&mut 10));
    assert_eq!(map.get_or_insert_with(id(0, 1), || unreachable!("it is there")), Some(&mut 10));
    assert_eq!(map.get_or_insert_with(id(0, 2), || 20), Some(&mut 20));
    assert_eq!(map.len(), 1);
}

#[test]
fn iteration_is_by_slot_and_knows_its_length() {
    let mut map = three();
    assert_eq!(map.iter().len(), 3);
    assert_eq!(map.keys().collect::<Vec<_>>(), [id(1, 4), id(3, 2), id(7, 0)]);
    assert_eq!(map.values().copied().collect::<Vec<_>>(), ["one", "three", "seven"]);
    for (conn, value) in &mut map {
        if conn == id(3, 2) {
            *value = "III";
        }
    }
    map.values_mut().skip(2).for_each(|value| *value = "VII");
    let mut entries = map.iter();
    entries.next();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries.collect::<Vec<_>>(), [(id(3, 2), &"III"), (id(7, 0), &"VII")]);
}

#[test]
fn values_leave_the_map_while_it_is_walked() {
    let mut map = three();
    let mut seen = Vec::new();
    map.retain(|conn, value| {
        seen.push(conn);
        *value != "three"
    });
    assert_eq!(seen, [id(1, 4), id(3, 2), id(7, 0)]);
    assert_eq!(map.keys().collect::<Vec<_>>(), [id(1, 4), id(7, 0)]);
    map.clear();
    assert!(map.is_empty());
    assert_eq!(map.iter().next(), None);
}

#[test]
fn indexing_changes_in_place() {
    let mut map = three();
    map[id(1, 4)] = "I";
    assert_eq!(map[id(1, 4)], "I");
}

#[test]
#[should_panic(expected = "no value for ConnId(1.3): it was removed, or never inserted")]
fn indexing_with_a_dead_id_panics() {
    let _ = three()[id(1, 3)];
}

#[test]
#[should_panic(expected = "no value for ConnId(8.0)")]
fn changing_by_a_dead_id_panics() {
    three()[id(8, 0)] = "";
}

#[test]
fn debug_shows_a_map() {
    assert_eq!(
        format!("{:?}", three()),
        r#"{ConnId(1.4): "one", ConnId(3.2): "three", ConnId(7.0): "seven"}"#
    );
}

#[derive(Clone, Debug)]
enum Step {
    Insert(ConnId, u8),
    GetOrInsert(ConnId, u8),
    Remove(ConnId),
    RetainOdd,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let conn = || (0..6_u32, 0..4_u32).prop_map(|(slot, generation)| id(slot, generation));
    prop_oneof![
        8 => (conn(), any::<u8>()).prop_map(|(conn, value)| Step::Insert(conn, value)),
        4 => (conn(), any::<u8>()).prop_map(|(conn, value)| Step::GetOrInsert(conn, value)),
        6 => conn().prop_map(Step::Remove),
        1 => Just(Step::RetainOdd),
        1 => Just(Step::Clear),
    ]
}

/// Whether `conn` may have a value in the model, where an older holder of its slot makes room.
fn model_claim(model: &mut BTreeMap<ConnId, u8>, conn: ConnId) -> bool {
    let slot = conn.0.slot();
    let holder = model.keys().copied().find(|held| held.0.slot() == slot);
    match holder {
        Some(held) if held.0.generation() > conn.0.generation() => return false,
        Some(held) if held != conn => drop(model.remove(&held)),
        _ => {}
    }
    true
}

proptest! {
    #[test]
    fn it_behaves_like_a_map_of_one_generation_a_slot(
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut map = ConnMap::new();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert(conn, value) => {
                    let expected = match model_claim(&mut model, conn) {
                        true => model.insert(conn, value),
                        false => None,
                    };
                    prop_assert_eq!(map.insert(conn, value), expected);
                }
                Step::GetOrInsert(conn, value) => {
                    let expected = match model_claim(&mut model, conn) {
                        true => Some(model.entry(conn).or_insert(value)),
                        false => None,
                    };
                    prop_assert_eq!(map.get_or_insert_with(conn, || value), expected);
                }
                Step::Remove(conn) => prop_assert_eq!(map.remove(conn), model.remove(&conn)),
                Step::RetainOdd => {
                    map.retain(|_, value| *value % 2 == 1);
                    model.retain(|_, value| *value % 2 == 1);
                }
                Step::Clear => {
                    map.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(map.len(), model.len());
            // `ConnId` orders by generation first, a map by slot.
            let mut expected: Vec<_> = model.iter().map(|(conn, value)| (*conn, value)).collect();
            expected.sort_by_key(|(conn, _)| conn.0.slot());
            prop_assert_eq!(map.iter().collect::<Vec<_>>(), expected);
            for conn in (0..6).flat_map(|slot| (0..4).map(move |generation| id(slot, generation))) {
                prop_assert_eq!(map.get(conn), model.get(&conn));
            }
        }
    }
}
