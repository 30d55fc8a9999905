// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/diagnostic.h"

#include <fmt/format.h>

#include "fuseboard/core/escape.h"

namespace fuseboard::config {

std::string Diagnostic::to_text() const {
  std::string text = (warning ? "warning: " : "") + escape_unprintable(file);
  if (line > 0) text += fmt::format(":{}:{}", line, column);
  text += ": ";
  if (!field.empty()) text += escape_unprintable(field) + ": ";
  return text + escape_unprintable(message);
}

}  // namespace fuseboard::config
