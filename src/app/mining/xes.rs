//! XES (IEEE 1849): every order is a case, with what happened to it and to all that belongs to it.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event as Part};

use super::unwritable;
use crate::app::Failure;
use crate::store::mining::{EventLogFile, FileEvent};

/// The extensions whose words are used: name, prefix, address.
const EXTENSIONS: [(&str, &str, &str); 3] = [
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
];

pub(super) async fn write(file: &mut EventLogFile, output: &mut impl Write) -> Result<(), Failure> {
    let mut xml = Xml(Writer::new(output));
    xml.part(Part::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.open("log", &[("xes.version", "1849-2023"), ("xmlns", "http://www.xes-standard.org/")])?;
    for (name, prefix, uri) in EXTENSIONS {
        xml.empty("extension", &[("name", name), ("prefix", prefix), ("uri", uri)])?;
    }
    let mut after = (String::new(), 0);
    loop {
        let steps = file.steps(&after).await?;
        let Some((last, step)) = steps.last() else { break };
        let next = (last.clone(), step.place);
        for (case, step) in &steps {
            if *case != after.0 {
                if !after.0.is_empty() {
                    xml.close("trace")?;
                }
                xml.open("trace", &[])?;
                xml.value("string", "concept:name", case)?;
                after.0.clone_from(case);
            }
            xml.event(step)?;
        }
        after = next;
    }
    if !after.0.is_empty() {
        xml.close("trace")?;
    }
    xml.close("log")
}

struct Xml<W: Write>(Writer<W>);

impl<W: Write> Xml<W> {
    fn part(&mut self, part: Part<'_>) -> Result<(), Failure> {
        self.0.write_event(part).map_err(|error| unwritable(&error))
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), Failure> {
        self.part(Part::Start(BytesStart::new(name).with_attributes(attributes.iter().copied())))
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), Failure> {
        self.part(Part::Empty(BytesStart::new(name).with_attributes(attributes.iter().copied())))
    }

    fn close(&mut self, name: &str) -> Result<(), Failure> {
        self.part(Part::End(BytesEnd::new(name)))
    }

    fn value(&mut self, kind: &str, key: &str, value: &str) -> Result<(), Failure> {
        self.empty(kind, &[("key", key), ("value", value)])
    }

    fn event(&mut self, step: &FileEvent) -> Result<(), Failure> {
        self.open("event", &[])?;
        self.value("string", "concept:name", &step.activity)?;
        self.value("date", "time:timestamp", &step.time)?;
        self.value("string", "org:resource", &step.actor)?;
        self.value("id", "identity:id", &step.id)?;
        self.value("string", "action", &step.action)?;
        self.close("event")
    }
}
