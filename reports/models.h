// A study's cells, gathered to the rows that tables are made of.
#pragma once

#include <string>
#include <vector>

#include "reports/row_names.h"
#include "reports/study.h"

namespace remixer::reports {

// Cells that differ in nothing that a table tells apart but the seed.
struct Model {
  ModelName name;
  LabelerName labeler_name;
  std::string architecture, spatial_prior, labeler;
  int variant = 0;  // counts cells that share even the seed: other parameters under equal names
  std::vector<const StudyCell*> cells;
};

// What is trained alike stands in one table.
struct Setting {
  std::string train_set, recipe, precision;
  auto operator<=>(const Setting&) const = default;
};

// The models of one setting in the paper's order. They point into `study`.
std::vector<Model> gather_models(const Study& study, const Setting& setting);

}  // namespace remixer::reports
