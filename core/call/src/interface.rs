/// Declares a service interface once: the trait that its producer implements, the names of its operations, and the handle that
/// binds a consumer's role to it.
///
/// ```
/// use manifold_call::{interface, uuid_id};
/// uuid_id!(/** A widget. */ pub WidgetId);
///
/// interface! {
///     /// Widgets (clause 0.0). Producer: VIM.
///     pub trait Widgets as BoundWidgets by Vim {
///         /// Makes one.
///         async fn allocate(ask: WidgetId) -> WidgetId;
///     }
/// }
/// assert_eq!(BoundWidgets::OPERATIONS, ["allocate"]);
/// ```
///
/// Each operation takes one argument that implements [`crate::Subject`], after the [`crate::Context`], and answers with an
/// [`crate::Outcome`].
#[macro_export]
macro_rules! interface {
    (
        $(#[$doc:meta])*
        pub trait $name:ident as $bound:ident by $producer:ident {
            $(
                $(#[$opdoc:meta])*
                async fn $op:ident($ask:ident: $Ask:ty) -> $Answer:ty;
            )*
        }
    ) => {
        $(#[$doc])*
        #[$crate::macros::async_trait]
        pub trait $name: Send + Sync + 'static {
            $(
                $(#[$opdoc])*
                async fn $op(&self, cx: &$crate::Context, $ask: $Ask) -> $crate::Outcome<$Answer>;
            )*
        }

        #[doc = concat!("[`", stringify!($name), "`] as one role sees it: every call is authorised and traced.")]
        #[derive(Clone)]
        pub struct $bound {
            inner: ::std::sync::Arc<dyn $name>,
            gate: $crate::Gate,
        }

        impl $bound {
            /// The interface's name in policy and traces.
            pub const INTERFACE: &'static str = stringify!($name);
            /// The operations, in the order of the declaration.
            pub const OPERATIONS: &'static [&'static str] = &[$(stringify!($op)),*];
            /// Who produces it.
            pub const PRODUCER: $crate::Role = $crate::Role::$producer;

            /// Binds `inner` to the consumer that `gate` names.
            pub fn bind(inner: ::std::sync::Arc<dyn $name>, gate: $crate::Gate) -> ::std::sync::Arc<dyn $name> {
                ::std::sync::Arc::new(Self { inner, gate })
            }
        }

        #[$crate::macros::async_trait]
        impl $name for $bound {
            $(
                async fn $op(&self, cx: &$crate::Context, $ask: $Ask) -> $crate::Outcome<$Answer> {
                    let subject = $crate::Subject::subject(&$ask);
                    self.gate
                        .pass(cx, Self::INTERFACE, stringify!($op), subject, |cx| async move { self.inner.$op(&cx, $ask).await })
                        .await
                }
            )*
        }
    };
}
