// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One thing that is wrong with a configuration file, and where.
#pragma once

#include <string>

namespace fuseboard::config {

// Texts are as found; to_text() makes them fit for a terminal. `value` is "***" where it may be a secret.
struct Diagnostic {
  std::string file;
  int line = 0;          // from 1; 0 where the problem is the file as a whole
  int column = 0;        // from 1, in characters
  std::string field;     // "models.smart.retry.max_attempts"; empty for the document itself
  std::string value;     // empty where `message` says it all
  std::string allowed;   // empty where `message` says it all
  std::string message;   // "0 is not allowed; allowed: 1 to 100"
  bool warning = false;  // legal, and hardly meant

  // "fuseboard.yaml:12:14: models.smart.retry.max_attempts: 0 is not allowed; allowed: 1 to 100", on one line, without
  // control characters; a warning begins with "warning: ".
  std::string to_text() const;

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

}  // namespace fuseboard::config
