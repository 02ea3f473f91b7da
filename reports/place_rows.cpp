#include "reports/place_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace remixer::reports {

namespace {

bool same_model(const Model& a, const Model& b) {
  return a.architecture == b.architecture && a.spatial_prior == b.spatial_prior;
}

class RowPlacer {
 public:
  RowPlacer(const TableDefinition& definition, const std::vector<Model>& models)
      : definition_(definition), models_(models) {
    for (const BlockDefinition& block : definition.blocks) {
      for (const RowSelector& selector : block.rows) named_families_.insert(selector.family);
    }
  }
  PlacedRows run();

 private:
  bool matches(const Model& model, const RowSelector& selector) const;
  std::string size_of(const Model& model, const RowSelector& selector) const;
  std::vector<std::string> sizes(const BlockDefinition& block) const;
  std::vector<std::string> complete_sizes() const;
  std::set<std::string> labelers_of(const BlockDefinition& block, const std::string& size) const;
  bool allowed(const Model& model, const std::string& size) const;
  std::vector<const Model*> select(const RowSelector& selector, const std::string& size) const;
  void place(const BlockDefinition& block, const std::string& size);

  const TableDefinition& definition_;
  const std::vector<Model>& models_;
  std::set<std::string> named_families_;
  PlacedRows placed_;
};

bool RowPlacer::matches(const Model& model, const RowSelector& selector) const {
  if ((model.labeler == "none") != (selector.labels == Labels::kPlain)) return false;
  if (selector.family.empty()) return !named_families_.contains(model.name.family);
  return model.name.family == selector.family && model.name.prior == selector.prior &&
         (selector.kernel.empty() || model.name.kernel == selector.kernel);
}

// What a block holds one instance of.
std::string RowPlacer::size_of(const Model& model, const RowSelector& selector) const {
  return selector.family.empty() ? model.architecture + " " + model.spatial_prior : model.name.size;
}

std::vector<std::string> RowPlacer::sizes(const BlockDefinition& block) const {
  std::vector<std::string> found;
  for (const Model& model : models_) {
    for (const RowSelector& selector : block.rows) {
      if (!matches(model, selector)) continue;
      const std::string size = size_of(model, selector);
      if (std::find(found.begin(), found.end(), size) == found.end()) found.push_back(size);
    }
  }
  return found;
}

// Sizes of which every selector of every block finds a row.
std::vector<std::string> RowPlacer::complete_sizes() const {
  std::vector<std::string> found = sizes(definition_.blocks.front());
  std::erase_if(found, [&](const std::string& size) {
    for (const BlockDefinition& block : definition_.blocks) {
      for (const RowSelector& selector : block.rows) {
        if (select(selector, size).empty()) return true;
      }
    }
    return false;
  });
  return found;
}

std::set<std::string> RowPlacer::labelers_of(const BlockDefinition& block,
                                             const std::string& size) const {
  std::set<std::string> labelers;
  for (const Model& model : models_) {
    for (const RowSelector& selector : block.rows) {
      if (matches(model, selector) && size_of(model, selector) == size) {
        labelers.insert(model.labeler);
      }
    }
  }
  return labelers;
}

bool RowPlacer::allowed(const Model& model, const std::string& size) const {
  if (!definition_.common_labelers) return true;
  return std::all_of(definition_.blocks.begin(), definition_.blocks.end(),
                     [&](const BlockDefinition& block) {
                       return labelers_of(block, size).contains(model.labeler);
                     });
}

std::vector<const Model*> RowPlacer::select(const RowSelector& selector,
                                            const std::string& size) const {
  std::vector<const Model*> selected;
  for (const Model& model : models_) {
    if (matches(model, selector) && size_of(model, selector) == size && allowed(model, size)) {
      selected.push_back(&model);
    }
  }
  return selected;
}

void RowPlacer::place(const BlockDefinition& block, const std::string& size) {
  const bool many_kernels = std::any_of(
      block.rows.begin(), block.rows.end(),
      [&](const RowSelector& selector) { return selector.kernel != block.rows.front().kernel; });
  const size_t first = placed_.rows.size();
  for (const RowSelector& selector : block.rows) {
    for (const Model* model : select(selector, size)) {
      const std::string kernel =
          many_kernels && model->name.kernel == "shared" ? ", shared kernel" : "";
      const bool below_plain = placed_.rows.size() > first && placed_.rows[first].is_reference &&
                               same_model(*placed_.rows[first].model, *model);
      std::string label = model->name.label + kernel;
      if (selector.labels == Labels::kWithRemixer) {
        label = below_plain ? "+ ReMixer" + kernel : label + " + ReMixer";
      }
      if (model->variant > 0) label += fmt::format(" ({})", model->variant + 1);
      const bool starts = placed_.rows.size() == first;
      placed_.rows.push_back({model, starts, starts && selector.labels == Labels::kPlain, label});
    }
  }
}

PlacedRows RowPlacer::run() {
  if (definition_.needs_every_row) {
    for (const std::string& size : complete_sizes()) {
      for (const BlockDefinition& block : definition_.blocks) place(block, size);
    }
    return placed_;
  }
  for (const BlockDefinition& block : definition_.blocks) {
    const size_t before = placed_.rows.size();
    for (const std::string& size : sizes(block)) place(block, size);
    if (placed_.rows.size() == before && !block.label.empty()) {
      placed_.absent.push_back(block.label);
    }
  }
  return placed_;
}

}  // namespace

PlacedRows place_rows(const TableDefinition& definition, const std::vector<Model>& models) {
  return RowPlacer(definition, models).run();
}

}  // namespace remixer::reports
