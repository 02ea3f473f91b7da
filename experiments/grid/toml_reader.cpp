// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/toml_reader.h"

#include <algorithm>

#include "base/nearest_name.h"

namespace remixer::experiments {

int line_of(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

std::vector<TomlReader::Entry> TomlReader::entries(const toml::table& table) const {
  std::vector<Entry> entries;
  for (const auto& [key, value] : table) {
    entries.push_back({std::string(key.str()), static_cast<int>(key.source().begin.line), &value});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.line < b.line; });
  return entries;
}

void TomlReader::check_keys(const toml::table& table, const std::string& where,
                            const Names& known) const {
  for (const Entry& entry : entries(table)) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    toml_file_.fail_at(entry.line, "{}{}", where.empty() ? "" : where + ": ",
                       unknown_name("key", entry.key, known));
  }
}

const toml::table& TomlReader::as_table(const Entry& entry, const std::string& where) const {
  const toml::table* table = entry.value->as_table();
  if (!table) toml_file_.fail_at(entry.line, "{} must be a table: write [{}]", where, where);
  return *table;
}

std::vector<const toml::table*> TomlReader::as_tables(const toml::table& root,
                                                      const char* key) const {
  const toml::node* node = root.get(key);
  if (!node) toml_file_.fail_at(1, "nothing to run: there is no [[{}]] block", key);
  const toml::array* array = node->as_array();
  if (!array || array->empty())
    toml_file_.fail_at(line_of(*node), "write [[{}]], in double brackets", key);
  std::vector<const toml::table*> tables;
  for (const toml::node& item : *array) {
    if (!item.is_table())
      toml_file_.fail_at(line_of(item), "write [[{}]], in double brackets", key);
    tables.push_back(item.as_table());
  }
  return tables;
}

std::string TomlReader::as_string(const toml::node& node, const std::string& where) const {
  if (!node.is_string()) toml_file_.fail_at(line_of(node), "{} must be text in quotes", where);
  return **node.as_string();
}

int64_t TomlReader::as_integer(const toml::node& node, const std::string& where) const {
  if (!node.is_integer()) toml_file_.fail_at(line_of(node), "{} must be an integer", where);
  return **node.as_integer();
}

Json TomlReader::as_json(const toml::node& node, const std::string& where) const {
  if (const auto* text = node.as_string()) return **text;
  if (const auto* number = node.as_integer()) return **number;
  if (const auto* number = node.as_floating_point()) return **number;
  if (const auto* flag = node.as_boolean()) return **flag;
  toml_file_.fail_at(line_of(node), "{} must be one number, text or true/false", where);
}

Axis<std::string> TomlReader::names(const toml::node& node, const std::string& what,
                                    const Names& known) const {
  return each(node, what, [&](const toml::node& item) {
    std::string name = as_string(item, what);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      toml_file_.fail_at(line_of(item), "{}", unknown_name(what, name, known));
    }
    return name;
  });
}

Axis<int64_t> TomlReader::integers(const toml::node& node, const std::string& what) const {
  return each(node, what, [&](const toml::node& item) {
    const int64_t value = as_integer(item, what);
    if (value < 0 || value > int64_t{1} << 53) {
      toml_file_.fail_at(line_of(item), "{} is {}; it must be at least 0 and at most 2^53", what,
                         value);
    }
    return value;
  });
}

}  // namespace remixer::experiments
