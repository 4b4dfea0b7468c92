/** The catalogue's door. README.md has its words and invariants, catalog/README.md the format of the data. */
export type { Catalog, Resolved } from './catalog.ts'
export { CatalogError } from './catalog-files.ts'
export { completeMedia } from './complete-media.ts'
export { type CatalogSources, loadCatalog } from './load.ts'
export { type MediaCandidates, mediaOfferingsFor, type PricedMediaOffering } from './media-offerings.ts'
export { offeringsFor, type PricedOffering } from './offerings.ts'
