// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_bytes.h"
#include "engine/model/network.h"
#include "engine/model/status.h"

namespace bitpose {

struct MetadataEntry {
  std::string_view key;
  std::string_view value;
};

struct Asset {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// A `.bpm` model, completely checked when it is loaded. Immutable.
class Model {
 public:
  /// Maps the file at `path`, see ModelBytes::map.
  static Status load(const std::string& path, std::shared_ptr<const Model>* model);
  /// Reads the model in `bytes`.
  static Status load(ModelBytes bytes, std::shared_ptr<const Model>* model);

  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// At least one, in the order of the file.
  std::span<const Network> networks() const { return networks_; }
  /// The network of that name; the first one for an empty name; null when there is none.
  const Network* find_network(std::string_view name) const;
  /// The same; the message says which names there are.
  Status find_network(std::string_view name, const Network** network) const;

  std::span<const MetadataEntry> metadata() const { return metadata_; }  ///< Sorted by key.
  std::span<const Asset> assets() const { return assets_; }

  size_t bytes() const { return bytes_.span().size(); }

  /// To be called when constants have been packed, see ModelBytes::release_pages.
  void release_pages() const { bytes_.release_pages(); }

 private:
  friend class ModelReader;
  Model() = default;

  ModelBytes bytes_;
  std::vector<Network> networks_;
  std::vector<MetadataEntry> metadata_;
  std::vector<Asset> assets_;
};

}  // namespace bitpose
