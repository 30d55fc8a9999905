// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Our own secrets taken out of what an upstream says: some repeat the credential that they were sent [TEL-4].
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace fuseboard::gateway {

class Redactor {
 public:
  static constexpr std::string_view kMask = "***";
  // A shorter one is also part of ordinary text.
  static constexpr std::size_t kShortest = 6;

  // Those that are shorter than kShortest are left alone.
  explicit Redactor(std::vector<std::string> secrets = {});

  // For texts that are shown: finds each secret however it is spelled, as it is, percent-encoded, or with the escapes
  // of JSON, once or more times over. True: there was one. Linear in the text for each secret.
  bool redact(std::string& text) const;

  // For answers, which pass by the thousand: finds it in the spellings that encoders write. The same otherwise.
  bool redact_usual(std::string& text) const;

  // In the values of headers, as redact_usual().
  void redact(net::Headers& headers) const;

 private:
  std::vector<std::string> plain_;  // without escapes, as folded() leaves them
  std::vector<std::string> usual_;
};

}  // namespace fuseboard::gateway
