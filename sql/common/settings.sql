-- Settings: their ranges, units and defaults, and the reserved prefix.
LOAD 'crm_analytics';
SELECT name, setting, unit, min_val, max_val, context, short_desc
FROM pg_settings WHERE name LIKE 'crm\_analytics.%' ORDER BY name COLLATE "C";

SET crm_analytics.max_tag_values = 0;
SET crm_analytics.max_tag_values = 65001;
SET crm_analytics.max_tag_values = 65000;
SHOW crm_analytics.max_tag_values;
RESET crm_analytics.max_tag_values;
-- (17 added the unit to the message)
\set VERBOSITY sqlstate
SET crm_analytics.refresh_memory = '1kB';
\set VERBOSITY default
SET crm_analytics.refresh_memory = '64MB';
SHOW crm_analytics.refresh_memory;

-- A misspelled setting is an error, not a silent placeholder.
SET crm_analytics.max_tag_value = 10;

-- None of them is a superuser's: an ordinary role may set every one for itself.
CREATE ROLE regress_crm_settings;
SET ROLE regress_crm_settings;
SET crm_analytics.max_tag_values = 10;
SHOW crm_analytics.max_tag_values;
RESET ROLE;
DROP ROLE regress_crm_settings;
