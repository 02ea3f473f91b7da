// SPDX-License-Identifier: Apache-2.0
// Parses a table's definition from TOML.
#include <toml++/toml.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest_name.h"
#include "experiments/spec/architectures.h"
#include "reports/data_kinds.h"
#include "reports/definitions.h"
#include "reports/embedded.h"
#include "reports/row_names.h"

namespace remixer::reports {

namespace {

using Names = std::vector<std::string>;

int line_of(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

// The members of one TOML table. Keys that are read become known; finish() rejects all others.
class Members {
 public:
  Members(const toml::table& table, const std::string& file, const std::string& what)
      : table_(table), file_(file), what_(what) {}

  template <typename... Args>
  [[noreturn]] void fail_at(int line, fmt::format_string<Args...> format, Args&&... args) const {
    throw InputError(
        fmt::format("{}:{}: {}", file_, line, fmt::format(format, std::forward<Args>(args)...)));
  }
  int line() const { return line_of(table_); }

  const toml::node* find(const char* key) {
    known_.push_back(key);
    return table_.get(key);
  }
  void read(const char* key, std::string& value) {
    if (const toml::node* node = find(key)) value = text(*node, key);
  }
  void read(const char* key, bool& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_boolean()) fail_at(line_of(*node), "{} must be true or false", key);
    value = node->as_boolean()->get();
  }
  void read(const char* key, std::optional<bool>& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_boolean()) fail_at(line_of(*node), "{} must be true or false", key);
    value = node->as_boolean()->get();
  }
  void read(const char* key, int& value, int low, int high) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto* integer = node->as_integer();
    if (!integer || integer->get() < low || integer->get() > high) {
      fail_at(line_of(*node), "{} must be a whole number from {} to {}", key, low, high);
    }
    value = static_cast<int>(integer->get());
  }
  // Reads one text or a list of texts; each must be in `among`, unless that is empty.
  void read(const char* key, Names& values, const Names& among = {}) {
    const toml::node* node = find(key);
    if (!node) return;
    values.clear();
    const toml::array* list = node->as_array();
    if (!list) values.push_back(checked(*node, key, among));
    for (size_t i = 0; list && i < list->size(); ++i) {
      values.push_back(checked(*list->get(i), key, among));
    }
    if (values.empty()) fail_at(line_of(*node), "{} is empty; leave it out to mean all", key);
  }
  // Reads a text that must be in `among`.
  std::string choice(const char* key, const Names& among, const std::string& otherwise) {
    const toml::node* node = find(key);
    return node ? checked(*node, key, among) : otherwise;
  }
  // The tables of [[key]].
  std::vector<const toml::table*> tables(const char* key) {
    std::vector<const toml::table*> found;
    const toml::node* node = find(key);
    if (!node) return found;
    const toml::array* list = node->as_array();
    if (!list || !list->is_array_of_tables()) {
      fail_at(line_of(*node), "{} must be [[...{}]] sections", key, key);
    }
    for (const toml::node& each : *list) found.push_back(each.as_table());
    return found;
  }
  void require(const std::string& value, const char* key) const {
    if (value.empty()) fail_at(line(), "{} needs a {}", what_, key);
  }
  void finish() const {
    for (const auto& [key, value] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      fail_at(static_cast<int>(key.source().begin.line), "{}: {}", what_,
              unknown_name("key", name, known_));
    }
  }

 private:
  std::string text(const toml::node& node, const char* key) const {
    if (!node.is_string()) fail_at(line_of(node), "{} must be a text in quotes", key);
    return node.as_string()->get();
  }
  std::string checked(const toml::node& node, const char* key, const Names& among) const {
    const std::string value = text(node, key);
    if (!among.empty() && std::find(among.begin(), among.end(), value) == among.end()) {
      fail_at(line_of(node), "{}", unknown_name(key, value, among));
    }
    return value;
  }

  const toml::table& table_;
  const std::string& file_;
  std::string what_;
  Names known_;
};

Names architecture_names() {
  Names names;
  for (const auto& each : experiments::architectures()) names.push_back(each.name);
  return names;
}

Names families() {
  Names names;
  for (const auto& each : experiments::architectures()) {
    const std::string family = model_name(each.name, "none").family;
    if (std::find(names.begin(), names.end(), family) == names.end()) names.push_back(family);
  }
  return names;
}

class DefinitionReader {
 public:
  DefinitionReader(const std::string& text, const std::string& file) : text_(text) {
    table_.file = file;
  }
  TableDefinition read();

 private:
  void read_top(Members& top);
  void read_column(const toml::table& section);
  void read_block(const toml::table& section);
  RowDefinition read_row(const toml::table& section);
  void check_gains(const Members& top) const;

  const std::string& text_;
  TableDefinition table_;
};

void DefinitionReader::read_top(Members& top) {
  top.read("id", table_.id);
  top.require(table_.id, "id");
  if (!is_plain_name(table_.id)) {
    top.fail_at(top.line(), "id '{}' names files: letters, digits, '_', '-' and '.' only",
                table_.id);
  }
  top.read("title", table_.title);
  top.require(table_.title, "title");
  top.read("caption", table_.caption);
  const std::string form = top.choice("form", {"accuracy", "kappa", "picture"}, "accuracy");
  table_.form = form == "kappa"     ? Form::kKappa
                : form == "picture" ? Form::kPicture
                                    : Form::kAccuracy;
  const std::string bold = top.choice("bold", {"none", "block", "column"}, "none");
  table_.bold = bold == "block" ? Bold::kBlock : bold == "column" ? Bold::kColumn : Bold::kNone;
  top.read("labeler_column", table_.labeler_column);
  top.read("arrows", table_.arrows);
  top.read("decimals", table_.decimals, 0, 6);
  top.read("prefer", table_.prefer, known_data_kinds());
  if (const toml::node* any = top.find("token_labeling")) {
    if (any->is_string() && any->as_string()->get() == "any") {
      table_.token_labeling.reset();
    } else {
      top.read("token_labeling", table_.token_labeling);
    }
  }
}

void DefinitionReader::read_column(const toml::table& section) {
  Members members(section, table_.file, "a column");
  ColumnDefinition column;
  column.line = members.line();
  members.read("id", column.id);
  members.require(column.id, "id");
  for (const ColumnDefinition& other : table_.columns) {
    if (other.id == column.id) members.fail_at(column.line, "column '{}' is there twice", other.id);
  }
  members.read("heading", column.heading);
  if (column.heading.empty()) column.heading = column.id;
  const std::string better = members.choice("better", {"higher", "lower"}, "");
  column.better = better == "higher"  ? Better::kHigher
                  : better == "lower" ? Better::kLower
                                      : Better::kNeither;
  members.read("set", column.sets);
  members.read("data", column.data, known_data_kinds());
  members.read("own", column.own);
  members.read("minus", column.minus);
  members.read("metric", column.metric);
  members.read("quarter", column.quarter, 1, 4);
  members.read("remixer", column.remixer);
  members.read("gain_over", column.gain_over);
  members.read("key", column.key);
  members.read("ours", column.ours);
  members.finish();
  const bool kappa = table_.form == Form::kKappa;
  if (kappa && column.quarter == 0) members.fail_at(column.line, "a column of κ needs a quarter");
  if (!kappa && column.sets.empty() && column.data.empty()) {
    members.fail_at(column.line, "column '{}' needs a set or data", column.id);
  }
  table_.columns.push_back(std::move(column));
}

RowDefinition DefinitionReader::read_row(const toml::table& section) {
  Members members(section, table_.file, "a row");
  RowDefinition row;
  row.line = members.line();
  row.name = "{model}";
  members.read("name", row.name);
  members.read("id", row.id);
  members.read("architecture", row.architectures, architecture_names());
  row.family = members.choice("family", families(), "");
  row.kernel = members.choice("kernel", {"shared", "full"}, "");
  members.read("other", row.other);
  row.prior = members.choice("prior", {"none", "convit", "any"}, row.other ? "any" : "none");
  members.read("remixer", row.remixer);
  members.read("token_labeling", row.token_labeling);
  members.read("labels", row.labels, label_kinds());
  members.read("labeler", row.labelers);
  members.read("gain_over", row.gain_over);
  members.read("key", row.key);
  members.read("ours", row.ours);
  members.read("grey", row.grey);
  members.finish();
  if (row.architectures.empty() && row.family.empty() && !row.other) {
    members.fail_at(row.line, "a row needs a family, an architecture, or other = true");
  }
  return row;
}

void DefinitionReader::read_block(const toml::table& section) {
  Members members(section, table_.file, "a block");
  BlockDefinition block;
  members.read("name", block.name);
  for (const toml::table* row : members.tables("rows")) block.rows.push_back(read_row(*row));
  members.finish();
  if (block.rows.empty()) members.fail_at(members.line(), "a block needs [[blocks.rows]]");
  for (const RowDefinition& row : block.rows) {
    Names ids;
    for (const RowDefinition& other : block.rows) {
      if (!other.id.empty()) ids.push_back(other.id);
    }
    if (row.gain_over.empty() || std::count(ids.begin(), ids.end(), row.gain_over) == 1) continue;
    members.fail_at(row.line, "gain_over: {}", unknown_name("row", row.gain_over, ids));
  }
  table_.blocks.push_back(std::move(block));
}

void DefinitionReader::check_gains(const Members& top) const {
  Names ids;
  for (const ColumnDefinition& column : table_.columns) ids.push_back(column.id);
  for (const ColumnDefinition& column : table_.columns) {
    if (column.gain_over.empty()) continue;
    if (std::find(ids.begin(), ids.end(), column.gain_over) == ids.end()) {
      top.fail_at(column.line, "gain_over: {}", unknown_name("column", column.gain_over, ids));
    }
  }
}

TableDefinition DefinitionReader::read() {
  toml::table root;
  try {
    root = toml::parse(text_, table_.file);
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}: {}", table_.file, error.source().begin.line,
                                 std::string(error.description())));
  }
  Members top(root, table_.file, "a table");
  read_top(top);
  for (const toml::table* column : top.tables("columns")) read_column(*column);
  for (const toml::table* block : top.tables("blocks")) read_block(*block);
  top.finish();
  if (table_.form == Form::kPicture) return std::move(table_);
  if (table_.columns.empty()) top.fail_at(1, "a table needs [[columns]]");
  if (table_.blocks.empty()) top.fail_at(1, "a table needs [[blocks]] with [[blocks.rows]]");
  check_gains(top);
  return std::move(table_);
}

}  // namespace

TableDefinition parse_table_definition(const std::string& text, const std::string& file) {
  return DefinitionReader(text, file).read();
}

TableDefinition read_table_definition(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    fail_input("{}: no such file; a table is a number of the paper's or a file of your own",
               file.string());
  }
  return parse_table_definition(read_file(file), file.string());
}

const std::vector<TableDefinition>& table_definitions() {
  static const std::vector<TableDefinition> all = [] {
    std::vector<TableDefinition> found;
    for (const Embedded& file : embedded_files()) {
      if (!file.name.ends_with(".toml")) continue;
      found.push_back(parse_table_definition(std::string(file.bytes), std::string(file.name)));
      found.back().numbered = true;
    }
    return found;
  }();
  return all;
}

}  // namespace remixer::reports
