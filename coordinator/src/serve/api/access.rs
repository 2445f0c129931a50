//! Who calls, and what that caller may do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use super::token::Scope;
use super::token_file::Known;
use super::{Api, loopback};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: it tells nothing.
    Anybody,
    /// Whoever has a token.
    Token,
    /// Whoever has a token with this scope.
    Scope(Scope),
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The name of the token.
    pub(super) name: Arc<str>,
    scopes: Arc<[Scope]>,
}

impl Caller {
    pub(super) fn new(name: &str, scopes: &[Scope]) -> Self {
        Self { name: name.into(), scopes: scopes.into() }
    }

    /// Whether the token has the scope; `admin` has them all.
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|&mine| mine == scope || mine == Scope::Admin)
    }
}

/// Lets a request through if its caller may make it, and tells the handler who that is.
pub(super) async fn guard(
    State((api, access)): State<(Arc<Api>, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(caller) = admit(&api, access, request.headers())? {
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

/// The caller, if it may do what takes `access`; nobody where it takes none.
pub(super) fn admit(api: &Api, access: Access, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if access == Access::Anybody {
        return Ok(None);
    }
    let caller = caller(api, headers)?;
    match access {
        Access::Scope(scope) if !caller.may(scope) => {
            let detail = format!("this takes a token with the scope `{}`", scope.name());
            Err(Problem::new(StatusCode::FORBIDDEN, &detail))
        }
        _ => Ok(Some(caller)),
    }
}

fn caller(api: &Api, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(tokens) = &api.tokens else {
        loopback::check_host(headers)?;
        return Ok(Caller::new("local", &[Scope::Admin]));
    };
    let refused = |detail| Problem::new(StatusCode::UNAUTHORIZED, detail);
    let token = bearer(headers).ok_or_else(|| refused("write `Authorization: Bearer TOKEN`"))?;
    match tokens.find(token) {
        Known::Valid(caller) => Ok(caller),
        Known::Expired => Err(refused("the token has expired")),
        Known::No => Err(refused("the token is not known")),
    }
}

/// The token of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
