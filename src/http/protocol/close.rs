//! Codes of close frames.

/// The client ended the connection as it should.
pub const NORMAL: u16 = 1000;
/// The client sent what is no WebSocket frame.
pub const PROTOCOL: u16 = 1002;
/// A close frame came without a code. Never sent.
pub const NO_CODE: u16 = 1005;
/// The connection broke, or was cut. Never sent.
pub const ABNORMAL: u16 = 1006;
/// A text message is not UTF-8.
pub const NOT_UTF8: u16 = 1007;
/// The server is stopping; connect again.
pub const RESTART: u16 = 1012;
/// The server can't go on with this client now; connect again and resume.
pub const TRY_AGAIN_LATER: u16 = 1013;
/// A message does not follow the protocol.
pub const BAD_REQUEST: u16 = 4400;
/// An operation came before the connection was acknowledged.
pub const UNAUTHORIZED: u16 = 4401;
/// The token is bad, or has expired; connect again with another.
pub const FORBIDDEN: u16 = 4403;
/// The client does not speak the protocol.
pub const SUBPROTOCOL: u16 = 4406;
/// The client did not introduce itself, or did not answer a ping, in time.
pub const TIMEOUT: u16 = 4408;
/// The id of an operation is in use.
pub const DUPLICATE: u16 = 4409;
/// The client introduced itself twice.
pub const TOO_MANY_INITS: u16 = 4429;
