// SPDX-License-Identifier: Apache-2.0
// Interned strings: the few texts that many entries share (architectures, labelers, ...) are stored
// once, for the lifetime of the program.
#pragma once

#include <string>

#include "base/json.h"

namespace remixer::coordinator {

// Copied and compared as a pointer. Thread-safe.
class Name {
 public:
  Name() : Name(std::string()) {}
  explicit Name(const std::string& text);
  const std::string& text() const { return *text_; }
  operator const std::string&() const { return *text_; }
  bool operator==(const Name& other) const { return text_ == other.text_; }
  bool operator<(const Name& other) const { return text_ < other.text_; }  // any fixed order

 private:
  const std::string* text_;
};

inline void to_json(Json& json, const Name& name) {
  json = name.text();
}

}  // namespace remixer::coordinator
