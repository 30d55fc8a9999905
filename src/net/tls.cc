// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <map>

#include "fuseboard/core/mutex.h"

namespace fuseboard::net {

namespace {

std::expected<std::shared_ptr<asio::ssl::context>, std::string> load_tls_context(const TlsOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(asio::ssl::verify_peer);
  ErrorCode error;
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
    if (error) return std::unexpected("the system's certificate authorities cannot be read: " + error.message());
  } else {
    context->load_verify_file(options.ca_file, error);
    if (error) return std::unexpected("no certificates can be read from the file: " + error.message());
  }
  return context;
}

struct SharedContexts {
  Mutex mutex;
  std::map<std::string, std::weak_ptr<asio::ssl::context>> by_ca_file FUSEBOARD_GUARDED_BY(mutex);
};

}  // namespace

std::expected<std::shared_ptr<asio::ssl::context>, std::string> make_tls_context(const TlsOptions& options) {
  static SharedContexts shared;
  const MutexLock lock(shared.mutex);
  std::erase_if(shared.by_ca_file, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = shared.by_ca_file.find(options.ca_file); found != shared.by_ca_file.end()) {
    if (auto context = found->second.lock()) return context;
  }
  auto context = load_tls_context(options);
  if (context) shared.by_ca_file[options.ca_file] = *context;
  return context;
}

std::unique_ptr<TlsLayer> make_tls_layer(Socket& socket, asio::ssl::context& context, const std::string& host) {
  auto layer = std::make_unique<TlsLayer>(socket, context);
  SSL* const ssl = layer->stream.native_handle();
  ErrorCode not_an_address;
  asio::ip::make_address(host, not_an_address);
  bool ok = false;
  if (not_an_address) {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ok = SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  } else {
    ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  ok = ok && SSL_set_alpn_protos(ssl, kHttp1, sizeof(kHttp1) - 1) == 0;
  return ok ? std::move(layer) : nullptr;
}

namespace {

// What is wrong with a certificate, after "the certificate of HOST ".
std::string certificate_fault(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is not valid yet; is this machine's clock right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "is made out to another name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "is self-signed; to trust it, name it in tls: {ca: FILE}";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "is signed by an authority that is not trusted here; to trust it, name it in tls: {ca: FILE}";
    case X509_V_ERR_CERT_REVOKED:
      return "was revoked";
    default:
      return std::string("is not accepted: ") + X509_verify_cert_error_string(verdict);
  }
}

std::string handshake_fault(const ErrorCode& error, const Origin& origin) {
  const int reason = error.category() == asio::error::get_ssl_category()
                         ? ERR_GET_REASON(static_cast<unsigned long>(error.value()))
                         : 0;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    return to_text(origin) + " does not speak TLS; does its URL begin with http:// ?";
  }
  const bool left = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  return "the TLS handshake with " + to_text(origin) +
         (left ? " was cut short: the connection was closed" : " failed: " + error.message());
}

}  // namespace

TransportError describe_tls_failure(const ErrorCode& error, TlsLayer& layer, const Origin& origin) {
  if (error.category() == asio::error::get_ssl_category()) {
    const long verdict = SSL_get_verify_result(layer.stream.native_handle());
    if (ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
        verdict != X509_V_OK) {
      return {.kind = TransportError::tls_certificate,
              .message = "the certificate of " + origin.host + " " + certificate_fault(verdict)};
    }
  }
  const bool system = error.category() == boost::system::system_category();
  return {
      .kind = TransportError::tls, .sys_errno = system ? error.value() : 0, .message = handshake_fault(error, origin)};
}

}  // namespace fuseboard::net
