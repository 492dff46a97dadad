//! What can be looked at, always in the caller's scope.
