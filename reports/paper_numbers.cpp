// SPDX-License-Identifier: Apache-2.0
#include "reports/paper_numbers.h"

#include <cstdlib>
#include <map>
#include <sstream>
#include <tuple>

#include "base/error.h"
#include "reports/embedded.h"
#include "reports/row_names.h"

namespace remixer::reports {

namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string>;

// table,model,labeler,column,value,gain,bold; no field is quoted.
std::vector<PaperNumber> read_numbers(const std::string& text) {
  std::vector<PaperNumber> numbers;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    PaperNumber number;
    std::string value, gain, bold;
    for (std::string* field :
         {&number.table, &number.model, &number.labeler, &number.column, &value, &gain, &bold}) {
      std::getline(fields, *field, ',');
    }
    number.value = std::strtod(value.c_str(), nullptr);
    if (!gain.empty()) number.gain = std::strtod(gain.c_str(), nullptr);
    number.bold = bold.starts_with("1");
    numbers.push_back(std::move(number));
  }
  return numbers;
}

}  // namespace

const std::vector<PaperNumber>& paper_numbers() {
  static const std::vector<PaperNumber> numbers = [] {
    for (const Embedded& file : embedded_files()) {
      if (file.name == "paper_tables.csv") return read_numbers(std::string(file.bytes));
    }
    fail("this program was built without the paper's numbers");
  }();
  return numbers;
}

std::optional<PaperRow> paper_row(const Table& table, const Row& row) {
  PaperRow found;
  ModelName name = model_name(row.architecture, row.spatial_prior);
  found.model = name.whole();
  if (row.labels == "BigBiGAN") {
    found.labeler = "BigBiGAN";
  } else if (row.labels == "ReLabel (NFNet-F6)") {
    found.labeler = "ReLabel";
  } else if (row.labels.empty()) {
    found.labeler = "-";
  } else {
    return std::nullopt;
  }
  if (table.id != "6" && row.is_remixer) found.model += " + ReMixer";
  if (table.id == "3") {
    // The paper does not say which labels it used here; those of its Tables 2 and 7 are ReLabel's.
    if (found.labeler != "ReLabel") return std::nullopt;
    found.labeler.clear();
  }
  return found;
}

const PaperNumber* find_paper_number(const Table& table, const Row& row, const Column& column) {
  static const std::map<Key, const PaperNumber*> numbers = [] {
    std::map<Key, const PaperNumber*> index;
    for (const PaperNumber& number : paper_numbers()) {
      index[{number.table, number.model, number.labeler, number.column}] = &number;
    }
    return index;
  }();
  const auto name = paper_row(table, row);
  if (!name) return nullptr;
  const auto found = numbers.find({table.id, name->model, name->labeler, column.heading});
  return found == numbers.end() ? nullptr : found->second;
}

}  // namespace remixer::reports
