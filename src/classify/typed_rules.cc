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
    {1, {"curl:1", invalid_request, "libcurl-errors: unsupported protocol"}},
    {2, {"curl:2", {resource_exhausted, own_exhaustion}, "libcurl-errors: initialization failed"}},
    {3, {"curl:3", invalid_request, "libcurl-errors: malformed URL"}},
    {4, {"curl:4", invalid_request, "libcurl-errors: not built in"}},
    {5, {"curl:5", network, "libcurl-errors: proxy not resolved"}},
    {6, {"curl:6", network, "libcurl-errors: host not resolved"}},
    {7, {"curl:7", network, "libcurl-errors: could not connect"}},
    {8, {"curl:8", service_unavailable, "libcurl-errors: weird server reply"}},
    {9, {"curl:9", permission_denied, "libcurl-errors: remote access denied"}},
    {16, {"curl:16", network, "libcurl-errors: HTTP/2 framing"}},
    {18, {"curl:18", network, "libcurl-errors: partial file"}},
    {23, {"curl:23", {resource_exhausted, own_exhaustion}, "libcurl-errors: writing received data failed"}},
    {26, {"curl:26", resource_not_found, "libcurl-errors: reading the upload failed"}},
    {27, {"curl:27", {resource_exhausted, own_exhaustion}, "libcurl-errors: out of memory"}},
    {28, {"curl:28", timeout, "libcurl-errors: operation timed out"}},
    {35, {"curl:35", network, "libcurl-errors: TLS handshake"}},
    {37, {"curl:37", resource_not_found, "libcurl-errors: file could not be read"}},
    {42, {"curl:42", cancelled, "libcurl-errors: aborted by callback"}},
    {43, {"curl:43", invalid_request, "libcurl-errors: bad function argument"}},
    {45, {"curl:45", network, "libcurl-errors: interface failed"}},
    {47, {"curl:47", service_unavailable, "libcurl-errors: too many redirects"}},
    {51, {"curl:51", {network, untrusted_certificate}, "libcurl-errors: certificate, before 7.62"}},
    {52, {"curl:52", network, "libcurl-errors: empty reply"}},
    {55, {"curl:55", network, "libcurl-errors: send failed"}},
    {56, {"curl:56", network, "libcurl-errors: receive failed"}},
    {58, {"curl:58", {network, untrusted_certificate}, "libcurl-errors: local certificate"}},
    {59, {"curl:59", {network, untrusted_certificate}, "libcurl-errors: cipher"}},
    {60, {"curl:60", {network, untrusted_certificate}, "libcurl-errors: peer verification failed"}},
    {61, {"curl:61", service_unavailable, "libcurl-errors: bad content encoding"}},
    {63, {"curl:63", invalid_request, "libcurl-errors: file size exceeded"}},
    {65, {"curl:65", network, "libcurl-errors: rewinding the upload failed"}},
    {67, {"curl:67", authentication, "libcurl-errors: login denied"}},
    {70, {"curl:70", resource_exhausted, "libcurl-errors: remote disk full"}},
    {77, {"curl:77", {network, untrusted_certificate}, "libcurl-errors: CA file"}},
    {78, {"curl:78", resource_not_found, "libcurl-errors: remote file not found"}},
    {83, {"curl:83", {network, untrusted_certificate}, "libcurl-errors: issuer check"}},
    {90, {"curl:90", {network, untrusted_certificate}, "libcurl-errors: pinned key"}},
    {91, {"curl:91", {network, untrusted_certificate}, "libcurl-errors: certificate status"}},
    {92, {"curl:92", network, "libcurl-errors: HTTP/2 stream"}},
    {93, {"curl:93", execution_error, "libcurl-errors: recursive call"}},
    {94, {"curl:94", authentication, "libcurl-errors: authentication function"}},
    {95, {"curl:95", network, "libcurl-errors: HTTP/3"}},
    {96, {"curl:96", network, "libcurl-errors: QUIC connect"}},
    {97, {"curl:97", network, "libcurl-errors: proxy handshake"}},
    {98, {"curl:98", authentication, "libcurl-errors: client certificate required"}},
};

// Names of errno values, of the resolver's errors and of what JavaScript runtimes add to them.
constexpr TypedRow kErrno[] = {
    {"ECONNREFUSED", network, "POSIX connect"},
    {"ECONNRESET", network, "POSIX recv"},
    {"ECONNABORTED", network, "POSIX accept; axios"},
    {"EPIPE", network, "POSIX send"},
    {"ENOTCONN", network, "POSIX recv"},
    {"ESHUTDOWN", network, "Linux errno"},
    {"EHOSTUNREACH", network, "POSIX connect"},
    {"EHOSTDOWN", network, "Linux errno"},
    {"ENETUNREACH", network, "POSIX connect"},
    {"ENETDOWN", network, "POSIX connect"},
    {"ENETRESET", network, "POSIX connect"},
    {"EPROTO", network, "Node.js: TLS"},
    {"ENOTFOUND", network, "Node.js dns"},
    {"EAI_AGAIN", network, "POSIX getaddrinfo"},
    {"EAI_NONAME", network, "POSIX getaddrinfo"},
    {"EAI_NODATA", network, "getaddrinfo"},
    {"EAI_FAIL", network, "POSIX getaddrinfo"},
    {"EAI_SYSTEM", network, "POSIX getaddrinfo"},
    {"EAI_ADDRFAMILY", network, "getaddrinfo"},
    {"EAI_SERVICE", network, "POSIX getaddrinfo"},
    {"EAI_MEMORY", {resource_exhausted, own_exhaustion}, "POSIX getaddrinfo"},
    {"ENODATA", network, "Node.js dns"},
    {"ESERVFAIL", network, "Node.js dns"},
    {"EREFUSED", network, "Node.js dns"},
    {"ETIMEDOUT", timeout, "POSIX connect"},
    {"ETIMEOUT", timeout, "Node.js dns, tedious"},
    {"ESOCKETTIMEDOUT", timeout, "request (Node.js)"},
    {"ETIME", timeout, "POSIX"},
    {"EMFILE", {resource_exhausted, own_exhaustion}, "POSIX socket"},
    {"ENFILE", {resource_exhausted, own_exhaustion}, "POSIX socket"},
    {"ENOBUFS", {resource_exhausted, own_exhaustion}, "POSIX socket"},
    {"ENOMEM", {resource_exhausted, own_exhaustion}, "POSIX socket"},
    {"EADDRNOTAVAIL", {resource_exhausted, own_exhaustion}, "POSIX connect: no port is left"},
    {"EADDRINUSE", {resource_exhausted, own_exhaustion}, "POSIX bind"},
    {"EAGAIN", {resource_exhausted, own_exhaustion}, "POSIX fork, pthread_create"},
    {"ENOSPC", resource_exhausted, "POSIX write"},
    {"EDQUOT", resource_exhausted, "POSIX write"},
    {"EACCES", permission_denied, "POSIX open"},
    {"EPERM", permission_denied, "POSIX"},
    {"EROFS", permission_denied, "POSIX open"},
    {"ENOENT", resource_not_found, "POSIX open"},
    {"ENOTDIR", resource_not_found, "POSIX open"},
    {"ENXIO", resource_not_found, "POSIX open"},
    {"ESRCH", resource_not_found, "POSIX kill"},
    {"EISDIR", invalid_request, "POSIX read"},
    {"EINVAL", invalid_request, "POSIX"},
    {"E2BIG", invalid_request, "POSIX exec"},
    {"ENAMETOOLONG", invalid_request, "POSIX open"},
    {"EEXIST", invalid_request, "POSIX open"},
    {"ENOTEMPTY", invalid_request, "POSIX rmdir"},
    {"ECANCELED", cancelled, "POSIX aio"},
    {"EINTR", cancelled, "POSIX"},
    {"ENOEXEC", execution_error, "POSIX exec"},
    {"ENEEDAUTH", authentication, "npm"},
    {"EOTP", authentication, "npm"},
    {"EOPENBREAKER", circuit_open, "opossum"},
    // Node.js TLS.
    {"CERT_HAS_EXPIRED", {network, untrusted_certificate}, "Node.js tls"},
    {"CERT_NOT_YET_VALID", {network, untrusted_certificate}, "Node.js tls"},
    {"CERT_REVOKED", {network, untrusted_certificate}, "Node.js tls"},
    {"CERT_UNTRUSTED", {network, untrusted_certificate}, "Node.js tls"},
    {"CERT_REJECTED", {network, untrusted_certificate}, "Node.js tls"},
    {"CERT_SIGNATURE_FAILURE", {network, untrusted_certificate}, "Node.js tls"},
    {"DEPTH_ZERO_SELF_SIGNED_CERT", {network, untrusted_certificate}, "Node.js tls"},
    {"SELF_SIGNED_CERT_IN_CHAIN", {network, untrusted_certificate}, "Node.js tls"},
    {"UNABLE_TO_GET_ISSUER_CERT", {network, untrusted_certificate}, "Node.js tls"},
    {"UNABLE_TO_GET_ISSUER_CERT_LOCALLY", {network, untrusted_certificate}, "Node.js tls"},
    {"UNABLE_TO_VERIFY_LEAF_SIGNATURE", {network, untrusted_certificate}, "Node.js tls"},
    {"HOSTNAME_MISMATCH", {network, untrusted_certificate}, "Node.js tls"},
    {"ERR_TLS_CERT_ALTNAME_INVALID", {network, untrusted_certificate}, "Node.js errors"},
    {"ERR_TLS_HANDSHAKE_TIMEOUT", timeout, "Node.js errors"},
    {"ERR_SOCKET_CONNECTION_TIMEOUT", timeout, "Node.js errors"},
    {"ERR_HTTP_REQUEST_TIMEOUT", timeout, "Node.js errors"},
    {"ERR_STREAM_PREMATURE_CLOSE", network, "Node.js errors"},
    {"ERR_HTTP2_STREAM_ERROR", network, "Node.js errors"},
    {"ERR_HTTP2_STREAM_CANCEL", network, "Node.js errors"},
    {"ERR_HTTP2_GOAWAY_SESSION", network, "Node.js errors"},
    {"ERR_HTTP2_SESSION_ERROR", network, "Node.js errors"},
    {"ERR_SOCKET_CLOSED", network, "Node.js errors"},
    {"ERR_SSL_WRONG_VERSION_NUMBER", network, "OpenSSL by way of Node.js"},
    {"ERR_INVALID_URL", invalid_request, "Node.js errors"},
    {"ERR_INVALID_ARG_TYPE", invalid_request, "Node.js errors"},
    {"ERR_NETWORK", network, "axios"},
    {"ERR_CANCELED", cancelled, "axios"},
    {"ABORT_ERR", cancelled, "DOM AbortError"},
    {"ERR_WORKER_OUT_OF_MEMORY", resource_exhausted, "Node.js errors"},
    // undici, Node.js's fetch.
    {"UND_ERR_CONNECT_TIMEOUT", timeout, "undici errors"},
    {"UND_ERR_HEADERS_TIMEOUT", timeout, "undici errors"},
    {"UND_ERR_BODY_TIMEOUT", timeout, "undici errors"},
    {"UND_ERR_SOCKET", network, "undici errors"},
    {"UND_ERR_CLOSED", network, "undici errors"},
    {"UND_ERR_DESTROYED", network, "undici errors"},
    {"UND_ERR_INFO", network, "undici errors"},
    {"UND_ERR_RES_CONTENT_LENGTH_MISMATCH", network, "undici errors"},
    {"UND_ERR_RES_EXCEEDED_MAX_SIZE", service_unavailable, "undici errors"},
    {"UND_ERR_ABORTED", cancelled, "undici errors"},
    {"UND_ERR_ABORT", cancelled, "undici errors"},
    {"UND_ERR_INVALID_ARG", invalid_request, "undici errors"},
    {"UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", invalid_request, "undici errors"},
    {"UND_ERR_HEADERS_OVERFLOW", service_unavailable, "undici errors"},
};

// What callers of other languages hold: compared whole.
constexpr TypedRow kTyped[] = {
    {"go:gobreaker.ErrTooManyRequests", circuit_open, "gobreaker: half open and full"},
    {"go:gobreaker.ErrOpenState", circuit_open, "gobreaker"},
    {"go:context.DeadlineExceeded", timeout, "Go context"},
    {"go:context.Canceled", cancelled, "Go context"},
    {"go:os.ErrDeadlineExceeded", timeout, "Go os"},
    {"go:os.ErrNotExist", resource_not_found, "Go os"},
    {"go:os.ErrPermission", permission_denied, "Go os"},
    {"go:io.EOF", network, "Go io"},
    {"go:io.ErrUnexpectedEOF", network, "Go io"},
    {"go:net.ErrClosed", network, "Go net"},
    {"go:net.DNSError", network, "Go net"},
    {"go:net.OpError", network, "Go net"},
    {"go:http.ErrHandlerTimeout", timeout, "Go net/http"},
    {"go:http.ErrServerClosed", network, "Go net/http"},
    {"go:exec.ErrNotFound", tool_not_found, "Go os/exec"},
    {"go:x509.UnknownAuthorityError", {network, untrusted_certificate}, "Go crypto/x509"},
    {"go:x509.HostnameError", {network, untrusted_certificate}, "Go crypto/x509"},
    {"go:x509.CertificateInvalidError", {network, untrusted_certificate}, "Go crypto/x509"},
    {"tls:certificate_expired", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 45"},
    {"tls:certificate_revoked", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 44"},
    {"tls:certificate_unknown", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 46"},
    {"tls:bad_certificate", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 42"},
    {"tls:unsupported_certificate", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 43"},
    {"tls:unknown_ca", {network, untrusted_certificate}, "RFC 8446, 6.2: alert 48"},
    {"js:TypeError", network, "fetch: a TypeError is a network error"},
};

// What a name space means where the code is not known.
struct Namespace {
  std::string_view prefix;
  TypedRow row;
};
constexpr Namespace kNamespaces[] = {
    {"curl:", {"curl:", network, "libcurl-errors: any other failure of a transfer"}},
    {"gai:", {"gai:", network, "POSIX getaddrinfo: any other failure"}},
    {"undici:", {"undici:", network, "undici errors: any other"}},
    {"tls:", {"tls:", network, "RFC 8446, 6.2: any other alert"}},
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
constexpr TypedRow kCertificate = {"tls: certificate", {network, untrusted_certificate}, "TLS libraries"};

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
