-- US dollars per million tokens of the prompt that the engine had in its prefix cache; null: as price_input.
ALTER TABLE charge ADD COLUMN price_cached_input double precision;
