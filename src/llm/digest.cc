// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/digest.h"

#include <openssl/evp.h>

#include "fuseboard/core/check.h"

namespace fuseboard::llm {

std::array<std::uint8_t, 32> sha256(std::string_view text) {
  std::array<std::uint8_t, 32> digest{};
  unsigned int size = 0;
  const int done = EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  check_invariant(done == 1 && size == digest.size(), "OpenSSL has no SHA-256");
  return digest;
}

}  // namespace fuseboard::llm
