#include "reports/models.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace remixer::reports {

std::vector<Model> gather_models(const Study& study, const Setting& setting) {
  std::vector<Model> models;
  std::map<std::tuple<std::string, std::string, std::string, int64_t>, int> seen;
  for (const StudyCell& cell : study.cells) {
    if (Setting{cell.train_set, cell.recipe, cell.precision} != setting) continue;
    const int variant = seen[{cell.architecture, cell.spatial_prior, cell.labeler, cell.seed}]++;
    auto found = std::find_if(models.begin(), models.end(), [&](const Model& model) {
      return model.architecture == cell.architecture && model.spatial_prior == cell.spatial_prior &&
             model.labeler == cell.labeler && model.variant == variant;
    });
    if (found == models.end()) {
      models.push_back({model_name(cell.architecture, cell.spatial_prior),
                        labeler_name(cell.labeler),
                        cell.architecture,
                        cell.spatial_prior,
                        cell.labeler,
                        variant,
                        {}});
      found = models.end() - 1;
    }
    found->cells.push_back(&cell);
  }
  std::stable_sort(models.begin(), models.end(), [](const Model& a, const Model& b) {
    return std::tie(a.name.order, a.labeler_name.order, a.variant) <
           std::tie(b.name.order, b.labeler_name.order, b.variant);
  });
  return models;
}

}  // namespace remixer::reports
