// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/ca_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace fuseboard::config {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeInfos {
  void operator()(STACK_OF(X509_INFO) * infos) const noexcept { sk_X509_INFO_pop_free(infos, X509_INFO_free); }
};

}  // namespace

// As OpenSSL itself reads such a file when a connection is to trust it.
std::optional<std::string> ca_file_problem(const std::string& path) {
  const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr) {
    ERR_clear_error();
    return "this file cannot be read";
  }
  const std::unique_ptr<STACK_OF(X509_INFO), FreeInfos> infos(
      PEM_X509_INFO_read_bio(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (infos == nullptr) return "no PEM file, or a damaged one";
  for (int i = 0; i < sk_X509_INFO_num(infos.get()); ++i) {
    if (sk_X509_INFO_value(infos.get(), i)->x509 != nullptr) return std::nullopt;
  }
  return "there is no certificate in this file; it takes PEM, with -----BEGIN CERTIFICATE-----";
}

}  // namespace fuseboard::config
