-- The words of pages, in English and Chinese.

CREATE FUNCTION @extschema@.page_words(lang text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF lang IS NULL OR lang NOT IN ('en', 'zh') THEN
		RAISE EXCEPTION 'unknown language "%"', coalesce(lang, 'NULL')
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Known are ''en'' and ''zh''.';
	END IF;
	RETURN jsonb_object_agg(w.name, CASE lang WHEN 'zh' THEN w.zh ELSE w.en END) FROM (VALUES
		('skip', 'Skip to the content', '跳到正文'),
		('chart', 'chart; the table below has its numbers', '图表；数据见下表'),
		('table', 'Table', '数据表'),
		('no data', 'No data', '没有数据'),
		('no library', 'Charts are not drawn, since the chart library is not stored yet: "make report-assets" fetches it and says how to store it. The tables have all numbers.',
			'尚未存入图表库，因此不绘制图表：make report-assets 会下载图表库并说明如何存入。所有数字都在表格中。'),
		('made by', 'Made by crm_analytics. This page is one file, and asks nothing of the network.', '由 crm_analytics 生成。本页是单个文件，不访问网络。')
	) AS w (name, en, zh);
END
$$;
COMMENT ON FUNCTION @extschema@.page_words(text) IS
	'the fixed words of pages, in English (''en'') or Chinese (''zh''); 22023 for another language';
