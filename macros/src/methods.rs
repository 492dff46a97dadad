//! Blocks of methods that are the fields of the schema.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, Result, Type};

use crate::{implementation, schema_name};

pub fn expand(block: &ItemImpl) -> Result<TokenStream> {
    let name = &block.self_ty;
    let methods = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    });
    let arms = methods.filter_map(arm);
    let implementation = implementation(name, arms);
    Ok(quote! {
        #block
        #implementation
    })
}

/// The arm that calls a method and writes what it returns; none for one that can't be called so.
fn arm(method: &ImplItemFn) -> Option<TokenStream> {
    // `#[graphql(name = …)]`, `#[graphql(skip)]` and the like: nobody needs them so far.
    if method.attrs.iter().any(|attribute| is_graphql(attribute) && !only_costs(attribute)) {
        return None;
    }
    let ident = &method.sig.ident;
    let field = schema_name(ident);
    let mut inputs = method.sig.inputs.iter();
    if !matches!(inputs.next(), Some(FnArg::Receiver(_))) {
        return None;
    }
    let mut arguments = Vec::new();
    let mut bindings = Vec::new();
    for (index, input) in inputs.enumerate() {
        let FnArg::Typed(input) = input else { return None };
        if index == 0 && is_context(&input.ty) {
            continue;
        }
        let (binding, read) = argument(input, bindings.len())?;
        arguments.push(binding);
        bindings.push(read);
    }
    // `#[Object]` gives a context to methods that want none, makes all asynchronous, and lets all fail.
    Some(quote! {
        #field => {
            let context = at.context();
            #(#bindings)*
            let value = crate::graphql::write::at_once(self.#ident(&context, #(#arguments),*))?;
            let value = value.map_err(|_| crate::graphql::write::Unwritten)?;
            crate::graphql::write::Write::write(&value, at, text)
        }
    })
}

/// Reads an argument as the executor does. One with a default of its own is left to the executor.
fn argument(input: &PatType, index: usize) -> Option<(syn::Ident, TokenStream)> {
    let Pat::Ident(name) = &*input.pat else { return None };
    let is_plain = |attribute: &Attribute| !is_graphql(attribute) || only_describes(attribute);
    if !input.attrs.iter().all(is_plain) {
        return None;
    }
    let binding = format_ident!("argument_{index}");
    let (field, kind) = (schema_name(&name.ident), &input.ty);
    let read = quote! {
        let (_, #binding) = context
            .param_value::<#kind>(#field, None)
            .map_err(|_| crate::graphql::write::Unwritten)?;
    };
    Some((binding, read))
}

fn is_graphql(attribute: &Attribute) -> bool {
    attribute.path().is_ident("graphql")
}

fn only_costs(attribute: &Attribute) -> bool {
    has_only(attribute, "complexity")
}

fn only_describes(attribute: &Attribute) -> bool {
    has_only(attribute, "desc")
}

/// Does `#[graphql(…)]` say nothing but this?
fn has_only(attribute: &Attribute, what: &str) -> bool {
    let mut is_only = true;
    let parsed = attribute.parse_nested_meta(|meta| {
        is_only &= meta.path.is_ident(what);
        if meta.input.peek(syn::Token![=]) {
            meta.value()?.parse::<syn::Expr>()?;
        }
        Ok(())
    });
    parsed.is_ok() && is_only
}

fn is_context(kind: &Type) -> bool {
    let Type::Reference(reference) = kind else { return false };
    last_name(&reference.elem).is_some_and(|name| name == "Context")
}

fn last_name(kind: &Type) -> Option<&syn::Ident> {
    match kind {
        // What a macro by example filled in.
        Type::Group(group) => last_name(&group.elem),
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}
