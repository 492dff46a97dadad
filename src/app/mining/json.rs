//! OCEL 2.0 as JSON, written some at a time.

use std::io::Write;

use serde_json::{Value, json};

use super::unwritable;
use crate::app::Failure;
use crate::domain::event::EventKind;
use crate::domain::mining::ObjectType;
use crate::store::mining::EventLogFile;

pub(super) async fn write(file: &mut EventLogFile, output: &mut impl Write) -> Result<(), Failure> {
    let event_types: Vec<Value> = EventKind::ALL
        .iter()
        .map(|kind| json!({ "name": kind.code(), "attributes": texts(&["actor", "action"]) }))
        .collect();
    let object_types: Vec<Value> =
        ObjectType::all().map(|one| json!({ "name": one.name(), "attributes": texts(one.attributes()) })).collect();
    let mut list = List { output, is_first: true };
    list.text(&format!("{{\"objectTypes\":{},\"eventTypes\":{}", Value::from(object_types), Value::from(event_types)))?;

    list.begin("objects")?;
    let mut after = 0;
    loop {
        let objects = file.objects(after).await?;
        let Some(last) = objects.last() else { break };
        after = last.place;
        for object in &objects {
            let attributes: Vec<Value> = object
                .attributes
                .iter()
                .map(|(name, time, value)| json!({ "name": name, "time": time, "value": value }))
                .collect();
            list.add(&json!({
                "id": object.id,
                "type": object.object_type,
                "attributes": attributes,
                "relationships": related(&object.links),
            }))?;
        }
    }
    list.text("]")?;

    list.begin("events")?;
    let mut after = 0;
    loop {
        let events = file.events(after).await?;
        let Some(last) = events.last() else { break };
        after = last.place;
        for event in &events {
            list.add(&json!({
                "id": event.id,
                "type": event.activity,
                "time": event.time,
                "attributes": [
                    { "name": "actor", "value": event.actor },
                    { "name": "action", "value": event.action },
                ],
                "relationships": related(&event.objects),
            }))?;
        }
    }
    list.text("]}\n")
}

/// Attributes that are texts.
fn texts(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "name": name, "type": "string" })).collect()
}

fn related(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(object, qualifier)| json!({ "objectId": object, "qualifier": qualifier })).collect()
}

/// A list that is written entry by entry.
struct List<'a, W> {
    output: &'a mut W,
    is_first: bool,
}

impl<W: Write> List<'_, W> {
    fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.output.write_all(text.as_bytes()).map_err(|error| unwritable(&error))
    }

    fn begin(&mut self, name: &str) -> Result<(), Failure> {
        self.is_first = true;
        self.text(&format!(",\n\"{name}\":["))
    }

    fn add(&mut self, entry: &Value) -> Result<(), Failure> {
        let separator = if std::mem::replace(&mut self.is_first, false) { "\n" } else { ",\n" };
        self.text(&format!("{separator}{entry}"))
    }
}
