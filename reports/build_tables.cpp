// SPDX-License-Identifier: Apache-2.0
#include "reports/build_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/nearest_name.h"
#include "reports/plain_table.h"
#include "reports/table_builder.h"

namespace remixer::reports {

namespace {

std::string file_part(const std::string& text) {
  std::string part;
  for (unsigned char c : text) part += std::isalnum(c) || c == '-' || c == '_' ? char(c) : '-';
  return part;
}

// The fields that distinguish a setting: those in which any two settings differ.
std::vector<std::string> telling_parts(const Setting& setting, const std::vector<Setting>& all) {
  std::vector<std::string> parts;
  for (auto field : {&Setting::train_set, &Setting::recipe, &Setting::precision}) {
    const bool differs = std::any_of(all.begin(), all.end(), [&](const Setting& other) {
      return other.*field != setting.*field;
    });
    if (differs) parts.push_back(setting.*field);
  }
  return parts;
}

bool has_moving_averages(const Setting& setting) {
  for (const Model& model : setting.models) {
    for (const StudyCell* cell : model.cells) {
      for (const Evaluation& evaluation : cell->evaluations) {
        for (const auto& [key, figure] : evaluation.figures) {
          if (key.first == "ema") return true;
        }
      }
    }
  }
  return false;
}

Table empty_table(const TableDefinition& definition, const Setting& setting,
                  const std::vector<Setting>& all, const std::string& weights) {
  Table table;
  table.id = definition.id;
  table.name = definition.numbered ? "table" + definition.id : definition.id;
  table.title =
      definition.numbered ? "Table " + definition.id + ". " + definition.title : definition.title;
  table.caption = definition.caption;
  table.weights = weights;
  table.train_set = setting.train_set;
  table.recipe = setting.recipe;
  table.precision = setting.precision;
  for (const std::string& part : telling_parts(setting, all)) {
    table.name += "_" + file_part(part);
    table.title += " · " + part;
  }
  if (weights == "ema") {
    table.name += "_ema";
    table.title += " · moving averages";
  }
  return table;
}

// Builds every table of one definition.
void build_definition(const TableDefinition& definition, const std::vector<Setting>& settings,
                      const BuildOptions& options, std::set<const Evaluation*>& shown,
                      Tables& result) {
  std::string reason;
  const size_t before = result.tables.size();
  for (const Setting& setting : settings) {
    for (const char* weights : {"raw", "ema"}) {
      const bool ema = weights == std::string_view("ema");
      if (ema && (definition.form == Form::kKappa || !has_moving_averages(setting))) continue;
      Table table = empty_table(definition, setting, settings, weights);
      if (fill_table(definition, setting, options, table, shown, reason)) {
        result.tables.push_back(std::move(table));
      }
    }
  }
  if (result.tables.size() == before) {
    result.left_out.push_back(
        fmt::format("Table {}. {}: {}", definition.id, definition.title, reason));
  }
}

// A set that no cell is evaluated on is probably a typing error.
void check_sets(const Study& study, const TableDefinition& definition) {
  std::set<std::string> known;
  for (const StudyCell& cell : study.cells) {
    for (const Evaluation& evaluation : cell.evaluations) {
      known.insert(evaluation.split);
      known.insert(evaluation.eval_set);
    }
  }
  const std::vector<std::string> names(known.begin(), known.end());
  for (const ColumnDefinition& column : definition.columns) {
    std::vector<std::string> wanted = column.sets;
    if (!column.minus.empty()) wanted.push_back(column.minus);
    const bool any = column.sets.empty() ||
                     std::any_of(column.sets.begin(), column.sets.end(),
                                 [&](const std::string& set) { return known.contains(set); });
    for (const std::string& set : wanted) {
      if (known.contains(set) || (any && set != column.minus)) continue;
      fail_input("{}:{}: column '{}': {}", definition.file, column.line, column.id,
                 unknown_name("evaluation set", set, names));
    }
  }
}

}  // namespace

Tables build_tables(const Study& study, const std::vector<TableDefinition>& definitions,
                    const BuildOptions& options) {
  const std::vector<Setting> settings = gather_settings(study);
  Tables result;
  std::set<const Evaluation*> shown;
  for (const TableDefinition& definition : definitions) {
    if (definition.form == Form::kPicture) continue;
    build_definition(definition, settings, options, shown, result);
  }
  for (const Setting& setting : settings) {
    PlainTable plain = plain_table(setting, definitions, shown);
    if (plain.definition.columns.empty()) continue;
    BuildOptions all = options;
    all.extras = Extras::kAll;
    for (const char* weights : {"raw", "ema"}) {
      if (weights == std::string_view("ema") && !has_moving_averages(setting)) continue;
      Table table = empty_table(plain.definition, setting, settings, weights);
      std::string reason;
      if (fill_table(plain.definition, plain.setting, all, table, shown, reason)) {
        result.tables.push_back(std::move(table));
      }
    }
  }
  return result;
}

Tables build_own_table(const Study& study, const TableDefinition& definition,
                       const BuildOptions& options) {
  check_sets(study, definition);
  Tables result;
  std::set<const Evaluation*> shown;
  build_definition(definition, gather_settings(study), options, shown, result);
  if (result.tables.empty()) {
    fail_input("{}: table '{}' is empty: {}", definition.file, definition.id,
               result.left_out.front());
  }
  return result;
}

}  // namespace remixer::reports
