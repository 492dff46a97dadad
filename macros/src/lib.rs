//! Makes the types of the schema write their fields as text.
//!
//! async-graphql turns a type into one that resolves its fields as futures, each into a tree of
//! values. That costs more than the database does when thousands of fields are asked for. These
//! macros read the very same declaration a second time and make the type write the text of a field
//! at once, where nothing has to be waited for: see `graphql::write` in the server. A field is
//! declared in one place, and a field that can't be written is resolved as ever.

mod fields;
mod methods;

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, ItemImpl, parse_macro_input};

/// Stands above `#[Object]`: every method of the block is also a field that can be written.
#[proc_macro_attribute]
pub fn written(_: TokenStream, item: TokenStream) -> TokenStream {
    let block = parse_macro_input!(item as ItemImpl);
    methods::expand(&block).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Stands beside `SimpleObject`: every field of the struct is also a field that can be written.
#[proc_macro_derive(Written, attributes(graphql))]
pub fn derive_written(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    fields::expand(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a type write its fields: one arm for each, by its name in the schema.
fn implementation(
    name: impl ToTokens,
    arms: impl Iterator<Item = proc_macro2::TokenStream>,
) -> proc_macro2::TokenStream {
    quote! {
        impl crate::graphql::write::Container for #name {
            fn write_field(
                &self,
                at: &crate::graphql::write::Selected<'_>,
                text: &mut String,
            ) -> crate::graphql::write::Written {
                match at.name {
                    #(#arms)*
                    _ => Err(crate::graphql::write::Unwritten),
                }
            }
        }

        impl crate::graphql::write::Write for #name {
            fn write(
                &self,
                at: &crate::graphql::write::Selected<'_>,
                text: &mut String,
            ) -> crate::graphql::write::Written {
                crate::graphql::write::object(self, at, text)
            }
        }
    }
}

/// The name a method or field has in the schema, as async-graphql makes it: `line_number` becomes
/// `lineNumber`.
fn schema_name(name: &syn::Ident) -> String {
    let name = name.to_string();
    let mut words = name.trim_start_matches("r#").split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
