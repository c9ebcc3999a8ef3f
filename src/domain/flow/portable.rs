//! A flow as a file that another installation reads: attributes of API v2, without
//! ids of this installation and without secrets.
//!
//! A credential stands on its step by name and component, so that its owner has one
//! of the same name made before the flow is read again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::graph::{GRAPH_MAX_BYTES, Graph};
use super::options::{FlowOptions, MapperKind, Missed};
use super::{Cron, FlowType};
use crate::domain::error::{Error, FieldError, Result};
use crate::domain::text;

/// The largest file: the largest graph, and as much for all else.
pub const FILE_MAX_BYTES: usize = 2 * GRAPH_MAX_BYTES;

/// The member of a node that names its credential.
const CREDENTIAL: &str = "credential";

/// A credential by what people know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCredential {
    /// What its owner calls it.
    pub name: String,
    /// The component or connector that it is for.
    pub component: String,
}

/// A flow without anything that only one installation knows.
#[derive(Clone, Debug, PartialEq)]
pub struct PortableFlow {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is set off.
    pub flow_type: FlowType,
    /// Its steps and what joins them, without credentials.
    pub graph: Graph,
    /// Its schedule.
    pub cron: Option<Cron>,
    /// How it runs.
    pub options: FlowOptions,
    /// The credentials, by step.
    pub credentials: BTreeMap<String, NamedCredential>,
}

impl PortableFlow {
    /// Returns the content of the file.
    pub fn to_value(&self) -> Value {
        let mut graph = self.graph.to_value();
        let nodes = graph["nodes"].as_array_mut();
        for node in nodes.into_iter().flatten() {
            let step = node["id"].as_str().unwrap_or_default();
            if let Some(credential) = self.credentials.get(step) {
                node[CREDENTIAL] = json!({
                    "name": credential.name, "component": credential.component,
                });
            }
        }
        let options = &self.options;
        json!({ "data": { "type": "flow", "attributes": {
            "name": self.name,
            "description": self.description,
            "type": self.flow_type.as_str(),
            "cron": self.cron.as_ref().map(Cron::as_str),
            "time_zone": options.time_zone,
            "missed": options.missed.as_str(),
            "default_mapper_type": options.default_mapper_type.map(MapperKind::as_str),
            "variables": options.variables,
            "nodes_config": options.nodes_config,
            "graph": graph,
        } } })
    }

    /// Reads a file: a document of API v2, or its attributes alone. Unknown attributes
    /// are ignored; fields of errors are the attributes' names.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > FILE_MAX_BYTES {
            let told = format!("is too large: at most {FILE_MAX_BYTES} bytes");
            return Err(Error::invalid("the file", told));
        }
        let content: Value = serde_json::from_slice(bytes).map_err(|fault| {
            let (line, column) = (fault.line(), fault.column());
            let told = format!("is not valid JSON (line {line}, column {column})");
            Error::invalid("the file", told)
        })?;
        let attributes = content.pointer("/data/attributes").unwrap_or(&content);
        let Some(attributes) = attributes.as_object() else {
            return Err(Error::invalid("the file", "must hold a flow as an object"));
        };
        let mut reader = Reader {
            attributes,
            faults: Vec::new(),
        };
        let flow = reader.flow();
        match flow {
            Some(flow) if reader.faults.is_empty() => Ok(flow),
            _ => Err(Error::invalid_fields(reader.faults)),
        }
    }
}

/// Reads the attributes of a file, and notes what is wrong with them.
struct Reader<'a> {
    attributes: &'a Map<String, Value>,
    faults: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    fn flow(&mut self) -> Option<PortableFlow> {
        let name = match self.text("name") {
            Some(name) => self.keep(text::name("name", name)),
            None => self.fault("name", "is required and must be a text"),
        };
        let description = self.text("description").map(str::to_owned);
        let flow_type = self.word("type", FlowType::parse);
        let cron = self.text("cron").map(|cron| Cron::parse("cron", cron));
        let cron = cron.and_then(|cron| self.keep(cron));
        let options = FlowOptions {
            time_zone: self.text("time_zone").map(str::to_owned),
            missed: self.word("missed", Missed::parse).unwrap_or_default(),
            variables: self.object("variables"),
            default_mapper_type: self.word("default_mapper_type", MapperKind::parse),
            nodes_config: self.object("nodes_config"),
        };
        self.keep(options.check());
        let (graph, credentials) = self.graph()?;
        Some(PortableFlow {
            name: name?,
            description,
            flow_type: flow_type.unwrap_or(FlowType::Ordinary),
            graph,
            cron,
            options,
            credentials,
        })
    }

    /// Returns the graph, and takes the credentials off its nodes.
    fn graph(&mut self) -> Option<(Graph, BTreeMap<String, NamedCredential>)> {
        let Some(graph) = self.given("graph") else {
            return self.fault("graph", "is required");
        };
        let mut graph = graph.clone();
        if graph.to_string().len() > GRAPH_MAX_BYTES {
            let told = format!("must have at most {GRAPH_MAX_BYTES} bytes as JSON");
            return self.fault("graph", &told);
        }
        let mut credentials = BTreeMap::new();
        let nodes = graph.get_mut("nodes").and_then(Value::as_array_mut);
        for (at, node) in nodes.into_iter().flatten().enumerate() {
            let Some(members) = node.as_object_mut() else {
                continue;
            };
            // An id of another installation means nothing in this one.
            members.shift_remove("credentials_id");
            let Some(named) = members.shift_remove(CREDENTIAL).filter(|it| !it.is_null()) else {
                continue;
            };
            let text = |name: &str| named.get(name).and_then(Value::as_str).map(str::to_owned);
            let step = members.get("id").and_then(Value::as_str);
            if let (Some(name), Some(component)) = (text("name"), text("component")) {
                let step = step.unwrap_or_default().to_owned();
                credentials.insert(step, NamedCredential { name, component });
            } else {
                let place = format!("graph.nodes.{at}.{CREDENTIAL}");
                self.fault::<()>(&place, "must be an object with name and component");
            }
        }
        let graph = self.keep(Graph::parse(&graph))?;
        Some((graph, credentials))
    }

    /// Returns an attribute; `null` counts as missing.
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<&'a str> {
        let value = self.given(name)?;
        match value.as_str() {
            Some(text) => Some(text),
            None => self.fault(name, "must be a text"),
        }
    }

    /// Returns an attribute that is one of several words.
    fn word<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.given(name)?;
        match value.as_str().and_then(parse) {
            Some(read) => Some(read),
            None => self.fault(name, "is not one of the known words"),
        }
    }

    fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.given(name) {
            None => Map::new(),
            Some(Value::Object(object)) => object.clone(),
            Some(_) => self.fault(name, "must be an object").unwrap_or_default(),
        }
    }

    /// Notes a fault; there is no value then.
    fn fault<T>(&mut self, field: &str, message: &str) -> Option<T> {
        self.faults.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
        None
    }

    /// Keeps a good value; the fields of an error are noted.
    fn keep<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.extend_from_slice(error.fields());
                None
            }
        }
    }
}
