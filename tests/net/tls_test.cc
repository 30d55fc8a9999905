// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// HTTPS against a server with a certificate authority of its own, made here.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <filesystem>
#include <thread>

#include "net/authorities.h"
#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using PKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;

PKey make_key() { return PKey(EVP_EC_gen("P-256")); }

void extend(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Valid for an hour; `issuer` null: self-signed authority. `names` as in subjectAltName.
Certificate make_certificate(EVP_PKEY* key, const char* common_name, X509* issuer, EVP_PKEY* issuer_key,
                             const char* names) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  static int serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer != nullptr ? issuer : certificate.get()));
  extend(certificate.get(), NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
  if (names != nullptr) extend(certificate.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

// A blocking HTTPS server on its own thread: each connection answers every request with the server name it was asked
// for.
class TlsServer {
 public:
  explicit TlsServer(const char* names)
      : ca_key_(make_key()), ca_(make_certificate(ca_key_.get(), "test authority", nullptr, ca_key_.get(), nullptr)) {
    ca_file = ::testing::TempDir() + "fuseboard_net_ca_" + std::to_string(listener_.port()) + ".pem";
    FILE* file = std::fopen(ca_file.c_str(), "w");
    PEM_write_X509(file, ca_.get());
    std::fclose(file);
    const PKey key = make_key();
    const Certificate certificate = make_certificate(key.get(), "server", ca_.get(), ca_key_.get(), names);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    thread_ = std::thread([this] { run(); });
  }
  ~TlsServer() {
    stopping_ = true;
    RawSocket::connect(listener_.port());  // wakes the accept
    thread_.join();
    std::filesystem::remove(ca_file);
  }
  Origin origin(std::string host) const { return {.tls = true, .host = std::move(host), .port = listener_.port()}; }

  std::string ca_file;
  std::atomic<bool> cut_body = false;  // promise more than is sent, and leave without a close_notify
  std::atomic<bool> until_close = false;

 private:
  void run() {
    while (true) {
      RawSocket socket = listener_.accept();
      if (stopping_) return;
      serve(socket);
    }
  }
  void serve(RawSocket& socket) {
    const Session session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), socket.descriptor());
    if (SSL_accept(session.get()) != 1) return;
    std::string request;
    std::array<char, 16384> space;
    int got = 0;
    while ((got = SSL_read(session.get(), space.data(), static_cast<int>(space.size()))) > 0) {
      request.append(space.data(), static_cast<std::size_t>(got));
      const std::size_t end = request.find("\r\n\r\n");
      if (end == request.npos) continue;
      const std::size_t size = request.contains("content-length: 1000000\r\n") ? 1'000'000 : 0;
      if (request.size() < end + 4 + size) continue;
      const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
      const std::string body = (name != nullptr ? name : "no name") + request.substr(end + 4);
      request.clear();
      const std::string length =
          until_close ? "" : "content-length: " + std::to_string(body.size() + (cut_body ? 5 : 0)) + "\r\n";
      const std::string answer = "HTTP/1.1 200 OK\r\n" + length + "\r\n" + body;
      if (SSL_write(session.get(), answer.data(), static_cast<int>(answer.size())) <= 0) return;
      if (cut_body || until_close) return;
    }
  }

  RawServer listener_;
  PKey ca_key_;
  Certificate ca_;
  Context context_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

TEST(Tls, TalksToAServerWhoseAuthorityItWasGiven) {
  TlsServer server("DNS:localhost,IP:127.0.0.1");
  Caller caller({.tls = {.ca_file = server.ca_file}});
  auto answer = fetch(caller, server.origin("localhost"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "localhost");
  answer = fetch(caller, server.origin("localhost"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(answer->reused);
}

TEST(Tls, VerifiesAnAddressAsAnAddress) {
  TlsServer server("IP:127.0.0.1");
  Caller caller({.tls = {.ca_file = server.ca_file}});
  const auto answer = fetch(caller, server.origin("127.0.0.1"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "no name");
}

TEST(Tls, SendsAndReceivesMoreThanARecord) {
  TlsServer server("DNS:localhost");
  Caller caller({.tls = {.ca_file = server.ca_file}});
  const std::string body(1'000'000, 'b');
  const auto answer = fetch(caller, server.origin("localhost"), {.method = "POST"}, body);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(answer->body == "localhost" + body);
}

TEST(Tls, RefusesACertificateMadeOutToAnotherName) {
  TlsServer server("DNS:other.example");
  Caller caller({.tls = {.ca_file = server.ca_file}});
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto answer = fetch(caller, server.origin(host));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, TransportError::tls_certificate) << answer.error().message;
    EXPECT_EQ(answer.error().message, std::string("the certificate of ") + host + " is made out to another name")
        << answer.error().message;
    EXPECT_FALSE(answer.error().request_may_have_run);
  }
}

TEST(Tls, RefusesAnAuthorityThatItDoesNotKnow) {
  TlsServer server("DNS:localhost");
  Caller caller;
  const auto answer = fetch(caller, server.origin("localhost"));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, TransportError::tls_certificate) << answer.error().message;
}

TEST(Tls, AServerThatDoesNotSpeakItIsAnError) {
  Service service([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, "plain"); });
  Caller caller;
  Origin origin = service.origin();
  origin.tls = true;
  const auto answer = fetch(caller, origin);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, TransportError::tls) << answer.error().message;
  EXPECT_FALSE(answer.error().request_may_have_run);
}

TEST(Tls, AHandshakeThatHangsTimesOut) {
  RawServer server;
  Caller caller;
  Origin origin = server.origin();
  origin.tls = true;
  const auto kind = caller.run([&](HttpClient& client) -> Task<TransportError::Kind> {
    ClientExchange exchange = client.exchange(origin);
    const auto head = co_await exchange.send({}, {}, {.connect_by = caller.in(60ms)});
    co_return head ? TransportError::reset : head.error().kind;
  });
  EXPECT_EQ(kind, TransportError::connect_timeout);
}

TEST(Tls, ABodyCutWithoutGoodbyeIsTruncated) {  // STR-2
  TlsServer server("DNS:localhost");
  Caller caller({.tls = {.ca_file = server.ca_file}});
  server.cut_body = true;
  EXPECT_EQ(fetch(caller, server.origin("localhost")).error().kind, TransportError::truncated);
  server.cut_body = false;
  server.until_close = true;  // an attacker could have cut it: only a close_notify would end it
  EXPECT_EQ(fetch(caller, server.origin("localhost")).error().kind, TransportError::truncated);
}

TEST(Tls, AFileWithoutCertificatesIsRefused) {  // CORE-6
  LoopGroup loops(1);
  EXPECT_THROW(HttpClient(loops.at(0), {.tls = {.ca_file = "/nonexistent.pem"}}), InvalidOptions);
  EXPECT_THROW(read_authorities({.ca_file = "/nonexistent.pem"}), InvalidOptions);
}

TEST(Tls, AuthoritiesThatWereReadAreTrustedThoughTheirFileIsGone) {  // CORE-6
  TlsServer server("DNS:localhost");
  const auto held = read_authorities({.ca_file = server.ca_file});
  EXPECT_NE(held, nullptr);
  std::filesystem::remove(server.ca_file);
  Caller caller({.tls = {.ca_file = server.ca_file}});
  const auto answer = fetch(caller, server.origin("localhost"));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(read_authorities({}), nullptr) << "the system's are read when they are needed";
}

}  // namespace
}  // namespace fuseboard::net
