// SPDX-License-Identifier: Apache-2.0
// Strict TOML reader: unknown keys, wrong types and bad values are errors with their line.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

using Names = std::vector<std::string>;

int line_of(const toml::node& node);

// Base class of the readers of a grid file's sections. All errors are InputError "FILE:LINE: ...".
class TomlReader {
 protected:
  explicit TomlReader(const GridFile& grid) : toml_file_(grid) {}

  // A table's member and its key, in the file's order.
  struct Entry {
    std::string key;
    int line = 0;
    const toml::node* value = nullptr;
  };
  std::vector<Entry> entries(const toml::table& table) const;
  void check_keys(const toml::table& table, const std::string& where, const Names& known) const;

  const toml::table& as_table(const Entry& entry, const std::string& where) const;
  std::vector<const toml::table*> as_tables(const toml::table& root, const char* key) const;
  std::string as_string(const toml::node& node, const std::string& where) const;
  int64_t as_integer(const toml::node& node, const std::string& where) const;
  Json as_json(const toml::node& node, const std::string& where) const;
  Axis<std::string> names(const toml::node& node, const std::string& what,
                          const Names& known) const;
  Axis<int64_t> integers(const toml::node& node, const std::string& what) const;
  // Reads a scalar, or each item of a non-empty array.
  template <typename Read>
  auto each(const toml::node& node, const std::string& what, Read read) const;
  // Runs `action`; puts the line in front of the message if it throws InputError.
  template <typename Action>
  auto at_line(int line, Action action) const;

 private:
  const GridFile& toml_file_;
};

template <typename Action>
auto TomlReader::at_line(int line, Action action) const {
  try {
    return action();
  } catch (const InputError& error) {
    toml_file_.fail_at(line, "{}", error.what());
  }
}

template <typename Read>
auto TomlReader::each(const toml::node& node, const std::string& what, Read read) const {
  Axis<decltype(read(node))> axis;
  const toml::array* array = node.as_array();
  if (!array) {
    axis.push_back({read(node), line_of(node)});
    return axis;
  }
  if (array->empty()) toml_file_.fail_at(line_of(node), "{} is an empty list", what);
  for (const toml::node& item : *array) {
    axis.push_back({read(item), line_of(item)});
    for (size_t i = 0; i + 1 < axis.size(); ++i) {
      if (axis[i].value != axis.back().value) continue;
      toml_file_.fail_at(line_of(item), "{} lists '{}' twice", what, axis.back().value);
    }
  }
  return axis;
}

}  // namespace remixer::experiments
