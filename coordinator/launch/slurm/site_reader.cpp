// SPDX-License-Identifier: Apache-2.0
// Reads a site's TOML file.
#include <toml++/toml.h>

#include <algorithm>
#include <map>

#include "base/nearest_name.h"
#include "base/one_line.h"
#include "coordinator/launch/slurm/site.h"

namespace remixer::coordinator::slurm {
namespace {

// A visitor of described structs, like ObjectReader for JSON: every key is optional, unknown keys
// are errors.
class TomlReader {
 public:
  template <typename T>
  using Fields = T;

  TomlReader(const toml::table& table, const std::string& file, std::string where)
      : table_(table), file_(file), where_(std::move(where)) {}

  template <typename T>
  void operator()(const char* key, T& value) {
    known_.push_back(key);
    if (const toml::node* node = table_.get(key)) read(*node, name(key), value);
  }

  void finish() const {
    for (const auto& [key, value] : table_) {
      const std::string word(key.str());
      if (std::find(known_.begin(), known_.end(), word) != known_.end()) continue;
      fail_input("{}:{}: {}{}", file_, key.source().begin.line,
                 where_.empty() ? "" : "[" + where_ + "] ", unknown_name("key", word, known_));
    }
  }

 private:
  std::string name(const char* key) const { return where_.empty() ? key : where_ + "." + key; }

  [[noreturn]] void fail_kind(const toml::node& node, const std::string& name,
                              const char* wanted) const {
    fail_input("{}:{}: {} must be {}", file_, node.source().begin.line, name, wanted);
  }

  void read(const toml::node& node, const std::string& name, std::string& value) const {
    const auto* text = node.as_string();
    if (!text) fail_kind(node, name, "text in quotes");
    value = **text;
  }
  void read(const toml::node& node, const std::string& name, int64_t& value) const {
    const auto* number = node.as_integer();
    if (!number) fail_kind(node, name, "an integer");
    value = **number;
  }
  void read(const toml::node& node, const std::string& name, double& value) const {
    const auto number = node.value<double>();
    if (!node.is_number() || !number) fail_kind(node, name, "a number");
    value = *number;
  }
  void read(const toml::node& node, const std::string& name, bool& value) const {
    const auto* flag = node.as_boolean();
    if (!flag) fail_kind(node, name, "true or false");
    value = **flag;
  }
  void read(const toml::node& node, const std::string& name,
            std::vector<std::string>& values) const {
    const auto* list = node.as_array();
    if (!list) fail_kind(node, name, "a list of texts, as [\"one\", \"two\"]");
    values.clear();
    for (const toml::node& item : *list) read(item, name, values.emplace_back());
  }
  template <typename T>
  void read(const toml::node& node, const std::string& name, T& value) const requires
      requires(TomlReader& v) {
    describe(v, value);
  }
  {
    const auto* table = node.as_table();
    if (!table) fail_kind(node, name, ("a table: write [" + name + "]").c_str());
    TomlReader reader(*table, file_, name);
    describe(reader, value);
    reader.finish();
  }

  const toml::table& table_;
  const std::string& file_;
  std::string where_;
  std::vector<std::string> known_;
};

}  // namespace

static Site read_as_written(const std::string& text, const std::string& file) {
  try {
    const toml::table table = toml::parse(text, file);
    Site site;
    TomlReader reader(table, file, "");
    describe(reader, site);
    reader.finish();
    try {
      check_site(site);
    } catch (const InputError& error) {
      fail_input("{}: {}", file, error.what());
    }
    return site;
  } catch (const toml::parse_error& error) {
    fail_input("{}:{}: {}", file, error.source().begin.line, error.description());
  }
}

Site read_site(const std::string& text, const std::string& file) {
  try {
    return read_as_written(text, file);
  } catch (const InputError& error) {
    throw InputError(one_line(error.what()));
  }
}

}  // namespace remixer::coordinator::slurm
