// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <charconv>

#include "classify/fold.h"
#include "classify/rules.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;

struct CurlRow {
  int number;
  TypedRow row;
};

// https://curl.se/libcurl/c/libcurl-errors.html
constexpr CurlRow kCurl[] = {
    {1, {"curl:1", Means(invalid_request), "libcurl-errors: unsupported protocol"}},
    {2, {"curl:2", Means(resource_exhausted, own_exhaustion), "libcurl-errors: initialization failed"}},
    {3, {"curl:3", Means(invalid_request), "libcurl-errors: malformed URL"}},
    {4, {"curl:4", Means(invalid_request), "libcurl-errors: not built in"}},
    {5, {"curl:5", Means(network), "libcurl-errors: proxy not resolved"}},
    {6, {"curl:6", Means(network), "libcurl-errors: host not resolved"}},
    {7, {"curl:7", Means(network), "libcurl-errors: could not connect"}},
    {8, {"curl:8", Means(service_unavailable), "libcurl-errors: weird server reply"}},
    {9, {"curl:9", Means(permission_denied), "libcurl-errors: remote access denied"}},
    {16, {"curl:16", Means(network), "libcurl-errors: HTTP/2 framing"}},
    {18, {"curl:18", Means(network), "libcurl-errors: partial file"}},
    {23, {"curl:23", Means(resource_exhausted, own_exhaustion), "libcurl-errors: writing received data failed"}},
    {26, {"curl:26", Means(resource_not_found), "libcurl-errors: reading the upload failed"}},
    {27, {"curl:27", Means(resource_exhausted, own_exhaustion), "libcurl-errors: out of memory"}},
    {28, {"curl:28", Means(timeout), "libcurl-errors: operation timed out"}},
    {35, {"curl:35", Means(network), "libcurl-errors: TLS handshake"}},
    {37, {"curl:37", Means(resource_not_found), "libcurl-errors: file could not be read"}},
    {42, {"curl:42", Means(cancelled), "libcurl-errors: aborted by callback"}},
    {43, {"curl:43", Means(invalid_request), "libcurl-errors: bad function argument"}},
    {45, {"curl:45", Means(network), "libcurl-errors: interface failed"}},
    {47, {"curl:47", Means(service_unavailable), "libcurl-errors: too many redirects"}},
    {51, {"curl:51", Means(network, untrusted_certificate), "libcurl-errors: certificate, before 7.62"}},
    {52, {"curl:52", Means(network), "libcurl-errors: empty reply"}},
    {55, {"curl:55", Means(network), "libcurl-errors: send failed"}},
    {56, {"curl:56", Means(network), "libcurl-errors: receive failed"}},
    {58, {"curl:58", Means(network, untrusted_certificate), "libcurl-errors: local certificate"}},
    {59, {"curl:59", Means(network, untrusted_certificate), "libcurl-errors: cipher"}},
    {60, {"curl:60", Means(network, untrusted_certificate), "libcurl-errors: peer verification failed"}},
    {61, {"curl:61", Means(service_unavailable), "libcurl-errors: bad content encoding"}},
    {63, {"curl:63", Means(invalid_request), "libcurl-errors: file size exceeded"}},
    {65, {"curl:65", Means(network), "libcurl-errors: rewinding the upload failed"}},
    {67, {"curl:67", Means(authentication), "libcurl-errors: login denied"}},
    {70, {"curl:70", Means(resource_exhausted), "libcurl-errors: remote disk full"}},
    {77, {"curl:77", Means(network, untrusted_certificate), "libcurl-errors: CA file"}},
    {78, {"curl:78", Means(resource_not_found), "libcurl-errors: remote file not found"}},
    {83, {"curl:83", Means(network, untrusted_certificate), "libcurl-errors: issuer check"}},
    {90, {"curl:90", Means(network, untrusted_certificate), "libcurl-errors: pinned key"}},
    {91, {"curl:91", Means(network, untrusted_certificate), "libcurl-errors: certificate status"}},
    {92, {"curl:92", Means(network), "libcurl-errors: HTTP/2 stream"}},
    {93, {"curl:93", Means(execution_error), "libcurl-errors: recursive call"}},
    {94, {"curl:94", Means(authentication), "libcurl-errors: authentication function"}},
    {95, {"curl:95", Means(network), "libcurl-errors: HTTP/3"}},
    {96, {"curl:96", Means(network), "libcurl-errors: QUIC connect"}},
    {97, {"curl:97", Means(network), "libcurl-errors: proxy handshake"}},
    {98, {"curl:98", Means(authentication), "libcurl-errors: client certificate required"}},
};

// Names of errno values, of the resolver's errors and of what JavaScript runtimes add to them.
constexpr TypedRow kErrno[] = {
    {"ECONNREFUSED", Means(network), "POSIX connect"},
    {"ECONNRESET", Means(network), "POSIX recv"},
    {"ECONNABORTED", Means(network), "POSIX accept; axios"},
    {"EPIPE", Means(network), "POSIX send"},
    {"ENOTCONN", Means(network), "POSIX recv"},
    {"ESHUTDOWN", Means(network), "Linux errno"},
    {"EHOSTUNREACH", Means(network), "POSIX connect"},
    {"EHOSTDOWN", Means(network), "Linux errno"},
    {"ENETUNREACH", Means(network), "POSIX connect"},
    {"ENETDOWN", Means(network), "POSIX connect"},
    {"ENETRESET", Means(network), "POSIX connect"},
    {"EPROTO", Means(network), "Node.js: TLS"},
    {"ENOTFOUND", Means(network), "Node.js dns"},
    {"EAI_AGAIN", Means(network), "POSIX getaddrinfo"},
    {"EAI_NONAME", Means(network), "POSIX getaddrinfo"},
    {"EAI_NODATA", Means(network), "getaddrinfo"},
    {"EAI_FAIL", Means(network), "POSIX getaddrinfo"},
    {"EAI_SYSTEM", Means(network), "POSIX getaddrinfo"},
    {"EAI_ADDRFAMILY", Means(network), "getaddrinfo"},
    {"EAI_SERVICE", Means(network), "POSIX getaddrinfo"},
    {"EAI_MEMORY", Means(resource_exhausted, own_exhaustion), "POSIX getaddrinfo"},
    {"ENODATA", Means(network), "Node.js dns"},
    {"ESERVFAIL", Means(network), "Node.js dns"},
    {"EREFUSED", Means(network), "Node.js dns"},
    {"ETIMEDOUT", Means(timeout), "POSIX connect"},
    {"ETIMEOUT", Means(timeout), "Node.js dns, tedious"},
    {"ESOCKETTIMEDOUT", Means(timeout), "request (Node.js)"},
    {"ETIME", Means(timeout), "POSIX"},
    {"EMFILE", Means(resource_exhausted, own_exhaustion), "POSIX socket"},
    {"ENFILE", Means(resource_exhausted, own_exhaustion), "POSIX socket"},
    {"ENOBUFS", Means(resource_exhausted, own_exhaustion), "POSIX socket"},
    {"ENOMEM", Means(resource_exhausted, own_exhaustion), "POSIX socket"},
    {"EADDRNOTAVAIL", Means(resource_exhausted, own_exhaustion), "POSIX connect: no port is left"},
    {"EADDRINUSE", Means(resource_exhausted, own_exhaustion), "POSIX bind"},
    {"EAGAIN", Means(resource_exhausted, own_exhaustion), "POSIX fork, pthread_create"},
    {"ENOSPC", Means(resource_exhausted), "POSIX write"},
    {"EDQUOT", Means(resource_exhausted), "POSIX write"},
    {"EACCES", Means(permission_denied), "POSIX open"},
    {"EPERM", Means(permission_denied), "POSIX"},
    {"EROFS", Means(permission_denied), "POSIX open"},
    {"ENOENT", Means(resource_not_found), "POSIX open"},
    {"ENOTDIR", Means(resource_not_found), "POSIX open"},
    {"ENXIO", Means(resource_not_found), "POSIX open"},
    {"ESRCH", Means(resource_not_found), "POSIX kill"},
    {"EISDIR", Means(invalid_request), "POSIX read"},
    {"EINVAL", Means(invalid_request), "POSIX"},
    {"E2BIG", Means(invalid_request), "POSIX exec"},
    {"ENAMETOOLONG", Means(invalid_request), "POSIX open"},
    {"EEXIST", Means(invalid_request), "POSIX open"},
    {"ENOTEMPTY", Means(invalid_request), "POSIX rmdir"},
    {"ECANCELED", Means(cancelled), "POSIX aio"},
    {"EINTR", Means(cancelled), "POSIX"},
    {"ENOEXEC", Means(execution_error), "POSIX exec"},
    {"ENEEDAUTH", Means(authentication), "npm"},
    {"EOTP", Means(authentication), "npm"},
    {"EOPENBREAKER", Means(circuit_open), "opossum"},
    // Node.js TLS.
    {"CERT_HAS_EXPIRED", Means(network, untrusted_certificate), "Node.js tls"},
    {"CERT_NOT_YET_VALID", Means(network, untrusted_certificate), "Node.js tls"},
    {"CERT_REVOKED", Means(network, untrusted_certificate), "Node.js tls"},
    {"CERT_UNTRUSTED", Means(network, untrusted_certificate), "Node.js tls"},
    {"CERT_REJECTED", Means(network, untrusted_certificate), "Node.js tls"},
    {"CERT_SIGNATURE_FAILURE", Means(network, untrusted_certificate), "Node.js tls"},
    {"DEPTH_ZERO_SELF_SIGNED_CERT", Means(network, untrusted_certificate), "Node.js tls"},
    {"SELF_SIGNED_CERT_IN_CHAIN", Means(network, untrusted_certificate), "Node.js tls"},
    {"UNABLE_TO_GET_ISSUER_CERT", Means(network, untrusted_certificate), "Node.js tls"},
    {"UNABLE_TO_GET_ISSUER_CERT_LOCALLY", Means(network, untrusted_certificate), "Node.js tls"},
    {"UNABLE_TO_VERIFY_LEAF_SIGNATURE", Means(network, untrusted_certificate), "Node.js tls"},
    {"HOSTNAME_MISMATCH", Means(network, untrusted_certificate), "Node.js tls"},
    {"ERR_TLS_CERT_ALTNAME_INVALID", Means(network, untrusted_certificate), "Node.js errors"},
    {"ERR_TLS_HANDSHAKE_TIMEOUT", Means(timeout), "Node.js errors"},
    {"ERR_SOCKET_CONNECTION_TIMEOUT", Means(timeout), "Node.js errors"},
    {"ERR_HTTP_REQUEST_TIMEOUT", Means(timeout), "Node.js errors"},
    {"ERR_STREAM_PREMATURE_CLOSE", Means(network), "Node.js errors"},
    {"ERR_HTTP2_STREAM_ERROR", Means(network), "Node.js errors"},
    {"ERR_HTTP2_STREAM_CANCEL", Means(network), "Node.js errors"},
    {"ERR_HTTP2_GOAWAY_SESSION", Means(network), "Node.js errors"},
    {"ERR_HTTP2_SESSION_ERROR", Means(network), "Node.js errors"},
    {"ERR_SOCKET_CLOSED", Means(network), "Node.js errors"},
    {"ERR_SSL_WRONG_VERSION_NUMBER", Means(network), "OpenSSL by way of Node.js"},
    {"ERR_INVALID_URL", Means(invalid_request), "Node.js errors"},
    {"ERR_INVALID_ARG_TYPE", Means(invalid_request), "Node.js errors"},
    {"ERR_NETWORK", Means(network), "axios"},
    {"ERR_CANCELED", Means(cancelled), "axios"},
    {"ABORT_ERR", Means(cancelled), "DOM AbortError"},
    {"ERR_WORKER_OUT_OF_MEMORY", Means(resource_exhausted), "Node.js errors"},
    // undici, Node.js's fetch.
    {"UND_ERR_CONNECT_TIMEOUT", Means(timeout), "undici errors"},
    {"UND_ERR_HEADERS_TIMEOUT", Means(timeout), "undici errors"},
    {"UND_ERR_BODY_TIMEOUT", Means(timeout), "undici errors"},
    {"UND_ERR_SOCKET", Means(network), "undici errors"},
    {"UND_ERR_CLOSED", Means(network), "undici errors"},
    {"UND_ERR_DESTROYED", Means(network), "undici errors"},
    {"UND_ERR_INFO", Means(network), "undici errors"},
    {"UND_ERR_RES_CONTENT_LENGTH_MISMATCH", Means(network), "undici errors"},
    {"UND_ERR_RES_EXCEEDED_MAX_SIZE", Means(service_unavailable), "undici errors"},
    {"UND_ERR_ABORTED", Means(cancelled), "undici errors"},
    {"UND_ERR_ABORT", Means(cancelled), "undici errors"},
    {"UND_ERR_INVALID_ARG", Means(invalid_request), "undici errors"},
    {"UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", Means(invalid_request), "undici errors"},
    {"UND_ERR_HEADERS_OVERFLOW", Means(service_unavailable), "undici errors"},
};

// What callers of other languages hold: compared whole.
constexpr TypedRow kTyped[] = {
    {"go:gobreaker.ErrTooManyRequests", Means(circuit_open), "gobreaker: half open and full"},
    {"go:gobreaker.ErrOpenState", Means(circuit_open), "gobreaker"},
    {"go:context.DeadlineExceeded", Means(timeout), "Go context"},
    {"go:context.Canceled", Means(cancelled), "Go context"},
    {"go:os.ErrDeadlineExceeded", Means(timeout), "Go os"},
    {"go:os.ErrNotExist", Means(resource_not_found), "Go os"},
    {"go:os.ErrPermission", Means(permission_denied), "Go os"},
    {"go:io.EOF", Means(network), "Go io"},
    {"go:io.ErrUnexpectedEOF", Means(network), "Go io"},
    {"go:net.ErrClosed", Means(network), "Go net"},
    {"go:net.DNSError", Means(network), "Go net"},
    {"go:net.OpError", Means(network), "Go net"},
    {"go:http.ErrHandlerTimeout", Means(timeout), "Go net/http"},
    {"go:http.ErrServerClosed", Means(network), "Go net/http"},
    {"go:exec.ErrNotFound", Means(tool_not_found), "Go os/exec"},
    {"go:x509.UnknownAuthorityError", Means(network, untrusted_certificate), "Go crypto/x509"},
    {"go:x509.HostnameError", Means(network, untrusted_certificate), "Go crypto/x509"},
    {"go:x509.CertificateInvalidError", Means(network, untrusted_certificate), "Go crypto/x509"},
    {"tls:certificate_expired", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 45"},
    {"tls:certificate_revoked", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 44"},
    {"tls:certificate_unknown", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 46"},
    {"tls:bad_certificate", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 42"},
    {"tls:unsupported_certificate", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 43"},
    {"tls:unknown_ca", Means(network, untrusted_certificate), "RFC 8446, 6.2: alert 48"},
    {"js:TypeError", Means(network), "fetch: a TypeError is a network error"},
};

// What a name space means where the code is not known.
struct Namespace {
  std::string_view prefix;
  TypedRow row;
};
constexpr Namespace kNamespaces[] = {
    {"curl:", {"curl:", Means(network), "libcurl-errors: any other failure of a transfer"}},
    {"gai:", {"gai:", Means(network), "POSIX getaddrinfo: any other failure"}},
    {"undici:", {"undici:", Means(network), "undici errors: any other"}},
    {"tls:", {"tls:", Means(network), "RFC 8446, 6.2: any other alert"}},
};

const TypedRow* find(std::span<const TypedRow> rows, std::string_view code) noexcept {
  for (const TypedRow& row : rows) {
    if (equal_folded(row.code, code)) return &row;
  }
  return nullptr;
}

// OpenSSL and the runtimes name certificate troubles in many ways; all of them say so.
bool is_about_certificate(std::string_view code) noexcept {
  constexpr std::string_view kWord = "cert";
  for (std::size_t i = 0; i + kWord.size() <= code.size(); ++i) {
    if (equal_folded(code.substr(i, kWord.size()), kWord)) return true;
  }
  return false;
}
constexpr TypedRow kCertificate = {"tls: certificate", Means(network, untrusted_certificate), "TLS libraries"};

}  // namespace

const TypedRow* curl_row(int code) noexcept {
  for (const CurlRow& row : kCurl) {
    if (row.number == code) return &row.row;
  }
  return nullptr;
}

const TypedRow* errno_row(std::string_view name) noexcept { return find(kErrno, name); }

const TypedRow* typed_row(std::string_view code) noexcept {
  if (const TypedRow* const row = find(kTyped, code)) return row;
  const std::size_t colon = code.find(':');
  const std::string_view bare = colon == std::string_view::npos ? code : code.substr(colon + 1);
  if (starts_folded(code, "curl:")) {
    int number = 0;
    std::from_chars(bare.data(), bare.data() + bare.size(), number);
    if (const TypedRow* const row = curl_row(number)) return row;
  }
  if (const TypedRow* const row = errno_row(bare)) return row;
  if ((starts_folded(code, "tls:") || starts_folded(code, "ssl:")) && is_about_certificate(bare)) return &kCertificate;
  for (const Namespace& space : kNamespaces) {
    if (starts_folded(code, space.prefix)) return &space.row;
  }
  return nullptr;
}

}  // namespace fuseboard::classify_internal
